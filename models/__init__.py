"""What the server knows: tables, repositories, the store, the catalogue of device kinds, errors."""
