"""Random numbers that are a function of what they are for.

A generator's numbers depend on how often it was asked before, so a simulation that is cut into other pieces would come
out differently. A hash of (seed, device, instant, purpose) does not remember anything.

Source: the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
"""

import hashlib
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
KeyArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_PIECE = np.uint64(0xFFFF)


def text_key(text: str) -> int:
    """Return 63 bits that stand for a text, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def hashed(*parts: ArrayLike) -> KeyArray:
    """Return 64 well-mixed bits for each combination of whole numbers; the parts broadcast."""
    with np.errstate(over="ignore"):
        result = np.zeros(1, dtype=np.uint64)
        for part in parts:
            result = (result ^ np.asarray(part).astype(np.uint64)) + _GOLDEN
            result = (result ^ (result >> np.uint64(30))) * _FIRST
            result = (result ^ (result >> np.uint64(27))) * _SECOND
            result = result ^ (result >> np.uint64(31))
    return result


def uniform(*parts: ArrayLike) -> FloatArray:
    """Return a number in [0, 1) for each combination of the parts."""
    return (hashed(*parts) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(*parts: ArrayLike) -> FloatArray:
    """Return a number of mean 0 and standard deviation 1 for each combination of the parts.

    The sum of four uniform numbers, so bell-shaped but never beyond ±3.5: no reading is made absurd by noise alone.
    """
    bits = hashed(*parts)
    total = np.zeros(bits.shape, dtype=np.float64)
    for shift in (0, 16, 32, 48):
        np.add(total, (bits >> np.uint64(shift)) & _PIECE, out=total)
    return total * (math.sqrt(3) / 65535) - 2 * math.sqrt(3)
