"""Keys as 128 bits each, whatever their length."""

from __future__ import annotations

import secrets

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.int64]
"""One row of two numbers for each key."""


class KeyHasher:
    """Hashes keys: each half is the sum of a key's bytes, each multiplied by a secret number of its place.

    The numbers are drawn anew for every file, so that its writer does not know them: two different keys look the same
    with a probability of 2^-112 at most.
    """

    def __init__(self) -> None:
        self._factors = _drawn(64)

    def hashes(self, keys: pa.Array) -> Hashes:
        """Return the hashes of texts without nulls."""
        offsets = np.frombuffer(keys.buffers()[1], np.int32, len(keys) + 1, 4 * keys.offset).astype(np.intp)
        text = np.frombuffer(keys.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
        starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
        self._reach(int(lengths.max(initial=0)))
        found = np.zeros((len(keys), 2), dtype=np.uint64)
        filled = lengths > 0
        if filled.any():
            places = np.arange(len(text)) - np.repeat(starts, lengths)
            values = text.astype(np.uint64) + np.uint64(1)
            for half, factors in enumerate(self._factors):
                found[filled, half] = np.add.reduceat(factors[places] * values, starts[filled])
        return found.view(np.int64)

    def _reach(self, length: int) -> None:
        known = self._factors.shape[1]
        if length > known:
            self._factors = np.concatenate([self._factors, _drawn(max(length, 2 * known) - known)], axis=1)


def _drawn(count: int) -> npt.NDArray[np.uint64]:
    return np.frombuffer(secrets.token_bytes(16 * count), np.uint64).reshape(2, count)
