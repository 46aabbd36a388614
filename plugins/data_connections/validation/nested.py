"""Items that stand inside the rows of an XML file: which of its columns belong to which item."""

from __future__ import annotations

import re
from collections.abc import Sequence

from data_connections.data_types.indexed import IndexedItems
from data_connections.errors import FileRefused

_NUMBER = re.compile(r"\[([0-9]+)\]")


def nested_items(names: Sequence[str], indexed: IndexedItems) -> dict[int, tuple[str, int]]:
    """Return column and number of the item for each position of a header that stands inside an item.

    What an item has beside the columns of the data type stays under its own name, one column for all items.

    Args:
        names: The header, in which an element that repeats has its number, such as `items/item[2]/sku`.
        indexed: Which names are columns of an item.

    Raises:
        FileRefused: XML_REPEATED, where something else repeats that holds elements.
    """
    known = {position: each for position, name in enumerate(names) if (each := indexed.nested(name)) is not None}
    items = {_outer(names[position]) for position in known}
    for position, name in enumerate(names):
        numbers = [int(number) for number in _NUMBER.findall(name)]
        if position in known or not (numbers or "/" in name):
            continue
        if any(_outer(name) == item or _outer(name).startswith(f"{item}/") for item in items):
            known[position] = (_NUMBER.sub("", name), 0 if len(numbers) > 1 else max(numbers, default=1))
        elif numbers:
            twice = _NUMBER.sub("", name[: name.rindex("[")])
            message = f"{twice} comes twice in a row and holds no column of an item. Write it once, or leave it out."
            raise FileRefused("XML_REPEATED", message)
    return known


def _outer(name: str) -> str:
    """Return the path of the element around a column, without numbers."""
    return _NUMBER.sub("", name.replace("@", "/").rpartition("/")[0])
