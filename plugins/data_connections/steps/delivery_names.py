"""The names of a delivery's files: parts of one name, the manifest and the ``.fin`` beside them."""

from __future__ import annotations

from data_connections.spec import Packaging
from data_connections.spec.file_name import before_extension, without_extension

MANIFEST = ".manifest"


def part_names(name: str, parts: int) -> list[str]:
    """Return the names of ``parts`` files; a single one keeps the name.

    Example:
        ```python
        part_names("orders.csv.gz", 2)  # ["orders_part1of2.csv.gz", "orders_part2of2.csv.gz"]
        ```
    """
    if parts == 1:
        return [name]
    width = len(str(parts))
    return [before_extension(name, f"_part{number:0{width}}of{parts}") for number in range(1, parts + 1)]


def marker_names(name: str, files: list[str], packaging: Packaging) -> list[str]:
    """Return the names of what follows the files: a marker such as ``.fin`` for each, then the manifest of all."""
    ending = packaging.marker_ending
    markers = [without_extension(file) + ending for file in files] if ending else []
    return markers + ([without_extension(name) + MANIFEST] if packaging.manifest else [])
