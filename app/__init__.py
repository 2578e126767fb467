"""What runs: the ASGI application, its workers, and the command line."""
