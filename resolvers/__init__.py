"""What the server decides: use cases and batch functions, in plain values and rows."""
