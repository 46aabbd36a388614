"""Which keys a file has had already: 16 bytes a key, whatever its length."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data_connections.validation.key_hashes import Hashes, KeyHasher
from data_connections.validation.outcomes import Mask

_FILTER_BITS = 26


class SeenKeys:
    """Remembers keys by 128-bit hashes in a few sorted arrays, each at least four times as long as the next.

    Before these, 8 MB of bits are asked, of which each key has set one: nearly all new keys are new there already.
    """

    def __init__(self) -> None:
        self._hasher = KeyHasher()
        self._levels: list[Hashes] = []
        self._bits = np.zeros(1 << (_FILTER_BITS - 6), dtype=np.uint64)

    def add(self, keys: pa.Array) -> Mask:
        """Remember the keys; return which of them were there before, in earlier calls or earlier in this one."""
        if not len(keys):
            return np.zeros(0, dtype=bool)
        hashes = self._hasher.hashes(keys)
        order = np.argsort(hashes[:, 0], kind="stable")
        ordered = hashes[order]
        again = np.zeros(len(keys), dtype=bool)
        again[1:] = (ordered[1:] == ordered[:-1]).all(axis=1)
        maybe = np.flatnonzero(self._passed_filter(ordered))
        for level in self._levels if len(maybe) else ():
            again[maybe] |= _contains(level, ordered[maybe])
        self._remember(ordered[~again])
        repeated = np.zeros(len(keys), dtype=bool)
        repeated[order] = again
        return repeated

    def _passed_filter(self, hashes: Hashes) -> Mask:
        """Return whose bits were set, and set those of all."""
        places = hashes[:, 1].view(np.uint64) >> np.uint64(64 - _FILTER_BITS)
        words, bits = (places >> np.uint64(6)).astype(np.intp), np.uint64(1) << (places & np.uint64(63))
        were_set = (self._bits[words] & bits) != 0
        np.bitwise_or.at(self._bits, words, bits)
        return np.asarray(were_set)

    def _remember(self, ordered: Hashes) -> None:
        while self._levels and len(self._levels[-1]) < 4 * len(ordered):
            merged = np.concatenate([self._levels.pop(), ordered])
            ordered = merged[np.argsort(merged[:, 0], kind="stable")]
        if len(ordered):
            self._levels.append(ordered)


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
