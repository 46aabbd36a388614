"""Whether what was expected by a time of day came, when, and whether it is as usual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from data_connections.endpoints.names import shown
from data_connections.ledger.expected import Came, ExpectedDay, ExpectedState
from data_connections.spec import ExpectedDelivery, ExpectedFiles
from data_connections.spec.file_pattern import FilePattern

FEWEST_BEFORE = 5
"""A median of fewer files says nothing about the next."""
_UNDER_WAY = ("claimed", "fetched", "validated", "on_hold")
_LONGEST = timedelta(days=1)


def judge(
    rule: ExpectedFiles | ExpectedDelivery,
    day: ExpectedDay,
    came: Sequence[Came],
    before: Sequence[Came],
    now: datetime,
) -> ExpectedDay:
    """Return a day with what became of it by now.

    Args:
        rule: What is expected.
        day: The day.
        came: What came in its time, in order.
        before: The last files or reports before it, which say what is usual.
        now: The present instant.
    """
    counted = counted_files(rule, day, came)
    wanted = rule.files if isinstance(rule, ExpectedFiles) else 1
    met_at = counted[wanted - 1].at if len(counted) >= wanted else None
    return replace(
        day,
        state=_state(day, met_at, now),
        files=len(counted),
        met_at=met_at,
        findings=list(_findings(rule, day, counted, before, wanted)),
    )


def is_final(day: ExpectedDay, came: Sequence[Came], now: datetime) -> bool:
    """Whether nothing can change what became of a day: its time is over, and no file of it is under way."""
    still = any(each.state in _UNDER_WAY for each in came) and now < day.closes_at + _LONGEST
    return now >= day.closes_at and not still


def counted_files(rule: ExpectedFiles | ExpectedDelivery, day: ExpectedDay, came: Sequence[Came]) -> list[Came]:
    """Return those that count: the rule's own, and none that was refused whole."""
    if isinstance(rule, ExpectedDelivery):
        return list(came)
    return [each for each in came if each.state != "quarantined" and rule.counts(each.name, day.day)]


def _state(day: ExpectedDay, met_at: datetime | None, now: datetime) -> ExpectedState:
    if met_at is not None:
        return "met" if met_at <= day.due_at else "met_late"
    if now < day.due_at:
        return "expected"
    return "late" if now < day.closes_at else "missed"


def _findings(
    rule: ExpectedFiles | ExpectedDelivery,
    day: ExpectedDay,
    counted: Sequence[Came],
    before: Sequence[Came],
    wanted: int,
) -> Iterator[str]:
    if isinstance(rule, ExpectedFiles) and len(counted) > rule.most:
        yield f"{len(counted)} files came; {rule.most} {'was' if rule.most == 1 else 'were'} expected."
    ended = [each for each in counted if each.state not in _UNDER_WAY]
    copies = [each for each in ended if each.state == "duplicate"]
    empty = [each for each in ended if each not in copies and each.rows == 0]
    if len(counted) >= wanted > len(counted) - len(copies) - len(empty):
        yield from (f"{shown(each.name)} is a copy of an earlier file." for each in copies)
        yield from (f"{shown(each.name)} has no rows." for each in empty)
    if rule.unusual is not None:
        usual = [each for each in before if isinstance(rule, ExpectedDelivery) or _is_alike(rule, each)]
        whole = [each for each in ended if each not in copies and each not in empty]
        yield from (said for each in whole if (said := _unusual(each, usual, rule.unusual)))


def _is_alike(rule: ExpectedFiles, earlier: Came) -> bool:
    """Whether an earlier file was one of the rule's, whatever its day."""
    return rule.matching is None or FilePattern(rule.matching).matches(earlier.name)


def _unusual(file: Came, before: Sequence[Came], times: float) -> str | None:
    """Return why a file is far from those before, by rows or else by size; None where it is not."""
    if len(before) < FEWEST_BEFORE:
        return None
    for what, own, usual in (
        ("rows", file.rows, median(each.rows for each in before)),
        ("bytes", file.size or 0, median(each.size or 0 for each in before)),
    ):
        if usual and not usual / times <= own <= usual * times:
            return f"{shown(file.name)} has {own:,} {what}; the median of the {len(before)} before is {usual:,.0f}."
    return None
