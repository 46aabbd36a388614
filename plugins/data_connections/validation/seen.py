"""Which keys a file has had already: 16 bytes a key, whatever its length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data_connections.validation.outcomes import Mask

Hashes = npt.NDArray[np.int64]


class SeenKeys:
    """Remembers keys by 128-bit hashes in a few sorted arrays, each at least four times as long as the next.

    Python's own hash is keyed by a secret of the process: nobody can make up two keys that look the same.
    """

    def __init__(self) -> None:
        self._levels: list[Hashes] = []

    def add(self, keys: Sequence[str]) -> Mask:
        """Remember the keys; return which of them were there before, in earlier calls or earlier in this one."""
        if not keys:
            return np.zeros(0, dtype=bool)
        hashes = key_hashes(keys)
        order = np.argsort(hashes[:, 0], kind="stable")
        ordered = hashes[order]
        again = np.zeros(len(keys), dtype=bool)
        again[1:] = (ordered[1:] == ordered[:-1]).all(axis=1)
        for level in self._levels:
            again |= _contains(level, ordered)
        self._remember(ordered[~again])
        repeated = np.zeros(len(keys), dtype=bool)
        repeated[order] = again
        return repeated

    def _remember(self, ordered: Hashes) -> None:
        while self._levels and len(self._levels[-1]) < 4 * len(ordered):
            merged = np.concatenate([self._levels.pop(), ordered])
            ordered = merged[np.argsort(merged[:, 0], kind="stable")]
        if len(ordered):
            self._levels.append(ordered)


def key_hashes(keys: Sequence[str]) -> Hashes:
    """Return 128 bits of each key, as a row of two numbers."""
    first = np.fromiter(map(hash, keys), np.int64, len(keys))
    second = np.fromiter((hash("again " + key) for key in keys), np.int64, len(keys))
    return np.stack([first, second], axis=1)


def _contains(level: Hashes, wanted: Hashes) -> Mask:
    """Return which of the wanted hashes are in a sorted level."""
    found = np.zeros(len(wanted), dtype=bool)
    places = np.searchsorted(level[:, 0], wanted[:, 0])
    looking = np.arange(len(wanted))
    while len(looking):
        looking = looking[places[looking] < len(level)]
        here = level[places[looking]]
        alike = here[:, 0] == wanted[looking, 0]
        looking, here = looking[alike], here[alike]
        found[looking] = here[:, 1] == wanted[looking, 1]
        looking = looking[~found[looking]]
        places[looking] += 1
    return found
