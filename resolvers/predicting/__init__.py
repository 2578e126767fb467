"""Predictions: what they are learnt from, the models that make them, and how these are trained."""
