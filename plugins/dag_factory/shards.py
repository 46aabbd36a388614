"""Several generator files in place of one, so that Airflow's DAG processors share the work of many connections."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from data_connections.errors import ConfigurationError

MOST = 64
GENERATOR = "connections.py"
_SHARD = "connections_*_of_*.py"
_STUB = '''"""The Airflow DAGs of {which}, one dag for each: `connections list` names them."""

from __future__ import annotations

from dag_factory.generation import generate_dags

globals().update(generate_dags({arguments}))
'''


@dataclass(frozen=True)
class Shard:
    """One share of the connections.

    Attributes:
        number: From 1 to ``of``.
        of: How many shares there are.
    """

    number: int
    of: int

    def holds(self, connection_id: int) -> bool:
        """Whether a connection belongs to this share: by a hash of its id, the same on every machine and for ever."""
        digest = hashlib.sha256(str(connection_id).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1


def write_generators(folder: Path, shards: int) -> list[Path]:
    """Write one generator for each shard, remove those of another number of shards, and return what there is now.

    The new ones are whole before an old one goes, so that no look at the folder finds a connection in none of them.

    Args:
        folder: Airflow's DAGs folder.
        shards: How many; 1 is the one file that every installation begins with.

    Raises:
        ConfigurationError: The number cannot be used, or the folder cannot be written to.
    """
    if not 1 <= shards <= MOST:
        raise ConfigurationError(f"Give a number of shards from 1 to {MOST}.")
    wanted = {folder / name: text for name, text in _generators(shards).items()}
    try:
        for path, text in wanted.items():
            _write(path, text)
        for path in (folder / GENERATOR, *folder.glob(_SHARD)):
            if path not in wanted:
                path.unlink(missing_ok=True)
    except OSError as refused:
        raise ConfigurationError(
            f"The DAGs folder cannot be written to: {refused.strerror}. In an image, run this where it is built.",
            path=folder,
        ) from refused
    return list(wanted)


def _generators(shards: int) -> dict[str, str]:
    if shards == 1:
        return {GENERATOR: _STUB.format(which="all connections", arguments="")}
    return {
        f"connections_{number:02}_of_{shards:02}.py": _STUB.format(
            which=f"share {number} of {shards} of the connections", arguments=f"shard={number}, shards={shards}"
        )
        for number in range(1, shards + 1)
    }


def _write(path: Path, text: str) -> None:
    """Give the file its whole content at once; one that has it stays, so that Airflow need not look again."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    # Airflow reads files that end in .py alone.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
