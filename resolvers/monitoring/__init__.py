"""The watch over models: outcomes, metrics, drift, health, alerts, and new versions."""
