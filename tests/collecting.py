"""What tests of the garbage collector share: looking at what a test makes, not at the thousands of tests besides."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_new_objects() -> Iterator[None]:
    """Let collections, and lists of the collector's objects, know only of what is made while the block runs.

    Nothing is collected but by hand meanwhile.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
