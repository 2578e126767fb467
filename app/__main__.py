"""`python -m app` is the same as `iotsphere`."""

from app.cli import main

if __name__ == "__main__":
    main()
