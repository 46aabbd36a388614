"""Which element of an XML file is a row: as declared, by a standard, or the only one that can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from data_connections.errors import FileRefused
from data_connections.formats.xml_parser import SafeParser

_STANDARD = {"rss": ("rss", "channel", "item"), "feed": ("feed", "entry")}
_NAMED = 5

ElementPath = tuple[str, ...]


@dataclass(frozen=True)
class RowShape:
    """Where the rows of an XML file are.

    Args:
        path: Names of the elements down to the row; of a declared one only the last of them.
        certain: Whether it was declared or is a standard's; then other elements of the file do not count.
    """

    path: ElementPath
    certain: bool

    def matches(self, path: list[str]) -> bool:
        """Return whether the element at the end of a path from the root is a row."""
        return tuple(path[-len(self.path) :]) == self.path and (self.certain or len(path) == len(self.path))

    def leads_to(self, path: list[str]) -> bool:
        """Return whether an element with children may stand outside rows."""
        return self.certain or self.path[: len(path)] == tuple(path)


class _Survey:
    """Counts the elements of a text, and which of them hold others."""

    def __init__(self) -> None:
        self.seen: Counter[ElementPath] = Counter()
        self.parents: set[ElementPath] = set()
        self.described: set[ElementPath] = set()
        self.repeated: set[ElementPath] = set()
        self._path: list[str] = []
        self._children: list[Counter[str]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._children:
            self.parents.add(tuple(self._path))
            self._children[-1][name] += 1
        self._path.append(name)
        path = tuple(self._path)
        if self._children and self._children[-1][name] == 2:
            self.repeated.add(path)
        self._children.append(Counter())
        self.seen[path] += 1
        if attributes:
            self.described.add(path)

    def end(self, _: str) -> None:
        self._path.pop()
        self._children.pop()


def row_shape(beginning: bytes, declared: str | None, *, whole: bool, names: Collection[str] = ()) -> RowShape | None:
    """Decide which element is a row.

    Args:
        beginning: The first part of the file, as UTF-8.
        declared: Its name, or the last names of its path with ``/`` between.
        whole: Whether that part is all of the file.
        names: Columns that rows have, where rows may hold items that repeat: of elements inside each other the
            outermost that has one of these is the row.

    Returns:
        The shape, or None where the file has nothing but its root, and so no row.

    Raises:
        FileRefused: XML_ROW_UNKNOWN, or what makes the file unsafe or malformed.
    """
    if declared:
        return RowShape(tuple(declared.strip("/").split("/")), certain=True)
    survey = _Survey()
    SafeParser(survey.start, survey.end).parse(beginning, final=whole)
    root = min(survey.seen, key=len, default=())
    if root and root[0] in _STANDARD:
        return RowShape(_STANDARD[root[0]], certain=True)
    if whole and len(survey.seen) == len(root) == 1:
        return None
    return RowShape(_with_items(survey, names) or _only_one(survey), certain=False)


def _with_items(survey: _Survey, names: Collection[str]) -> ElementPath | None:
    """Return the outermost element that holds a column, around elements that are all inside each other."""
    candidates = sorted(_candidates(survey), key=len)
    if not names or not candidates or any(candidates[-1][: len(path)] != path for path in candidates):
        return None
    wanted = {name.casefold() for name in names}
    holders = {path[:-1] for path in survey.seen if path not in survey.parents and path[-1].casefold() in wanted}
    around = [candidates[-1][:length] for length in range(2, len(candidates[-1]) + 1)]
    return next((path for path in around if path in holders), None)


def _only_one(survey: _Survey) -> ElementPath:
    candidates = _candidates(survey)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        message = "No element of the file holds the values of a row; declare which one is a row."
        raise FileRefused("XML_ROW_UNKNOWN", message, line=1)
    names = ", ".join("/".join(path) for path in candidates[:_NAMED])
    message = f"Several elements could be the rows: {names}. Declare which one is (row)."
    raise FileRefused("XML_ROW_UNKNOWN", message, line=1)


def _candidates(survey: _Survey) -> list[ElementPath]:
    """Return the elements that could be rows: those that repeat, else those that hold something."""
    holding = [path for path in survey.seen if len(path) > 1 and path in survey.parents]
    holding = holding or [path for path in survey.seen if len(path) > 1 and path in survey.described]
    repeated = [path for path in holding if path in survey.repeated]
    return repeated or holding
