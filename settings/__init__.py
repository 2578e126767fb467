"""What the server is told: settings as frozen dataclasses, read once at start-up and handed on."""
