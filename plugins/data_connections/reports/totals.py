"""Totals of a report, kept apart by one column, exact to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, Inexact

from data_connections.errors import TotalsMismatch
from data_connections.reports.definition import ROWS

_EXACT = Context(prec=1000, traps=[Inexact])

Stored = dict[str, dict[str, str]]
"""Totals as JSON: group -> name -> decimal string, with the number of lines under ``rows``."""


class Totals:
    """Adds up named numbers for each group, and counts its lines.

    Args:
        names: What is added up.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = (ROWS, *names)
        self._groups: dict[str, list[Decimal]] = {}

    def add(self, group: str, numbers: Sequence[Decimal | int | str], *, rows: int = 1) -> None:
        """Add the numbers of ``rows`` lines, in the order of the names."""
        sums = self._groups.setdefault(group, [Decimal(0)] * len(self._names))
        for position, number in enumerate((rows, *numbers)):
            sums[position] = _EXACT.add(sums[position], Decimal(number))

    def stored(self) -> Stored:
        """Return the totals of every group that has lines, for JSON."""
        return {
            group: {name: format(total, "f") for name, total in zip(self._names, sums, strict=True)}
            for group, sums in sorted(self._groups.items())
            if sums[0]
        }


def rows_of(totals: Stored) -> int:
    """Return the number of lines of all groups."""
    return sum(int(group[ROWS]) for group in totals.values())


def together(totals: Iterable[Stored], names: Sequence[str]) -> Stored:
    """Return the totals of several files as those of one."""
    sums = Totals(names)
    for stored in totals:
        for group, numbers in stored.items():
            sums.add(group, [numbers[name] for name in names], rows=int(numbers[ROWS]))
    return sums.stored()


def compare(file: Stored, ledger: Stored, *, what: str) -> None:
    """Check that a file adds up to what the ledger says.

    Args:
        file: What was counted in the file.
        ledger: What the check query says.
        what: The file, for the message.

    Raises:
        TotalsMismatch: With every difference.
    """
    differences = [
        f"{name}{' ' + group if group else ''}: {found} in the file, {due} in the ledger"
        for group in sorted({*file, *ledger})
        for name, found, due in _pairs(file.get(group, {}), ledger.get(group, {}))
        if Decimal(found) != Decimal(due)
    ]
    if differences:
        raise TotalsMismatch(
            f"{what} does not add up, so it is not sent: {'; '.join(differences)}. "
            "Compare the report's SQL with that of its check."
        )


def _pairs(file: Mapping[str, str], ledger: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(name, file.get(name, "0"), ledger.get(name, "0")) for name in {**ledger, **file}]
