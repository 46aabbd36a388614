"""The partners' servers: whether each lets us in with the login that runs will use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from command_line.checkup.finding import Finding, bad, good
from data_connections.spec import ConnectionSpec, Hosted, OutboundMailDetails

if TYPE_CHECKING:
    from data_connections.catalog import StoredSpec

_AT_ONCE = 8


def endpoints(connections: list[StoredSpec]) -> Iterator[Finding]:
    """Log in once at each server with each login, several at a time; paused connections are left out."""
    doors: dict[tuple[object, ...], list[ConnectionSpec]] = defaultdict(list)
    for stored in connections:
        if not stored.spec.paused:
            doors[_door(stored.spec)].append(stored.spec)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(_look, doors.values()))
    yield from (finding for finding in found if finding.state != "good")
    works = sum(finding.state == "good" for finding in found)
    if works or not found:
        yield good("endpoints", f"{works} of {len(found)} logins at partners' servers work.")


def _door(spec: ConnectionSpec) -> tuple[object, ...]:
    details = spec.details
    if isinstance(details, Hosted):
        return ("hosted",)
    if isinstance(details, OutboundMailDetails):
        return (details.scheme, spec.credentials, details.to)
    return (details.scheme, details.host, details.port, spec.credentials)


def _look(specs: list[ConnectionSpec]) -> Finding:
    from hooks.trial import reach

    first = specs[0]
    try:
        step = reach(first)
        works, text = step.ok, step.message
    except Exception as error:  # such as credentials that another Fernet key encrypted
        works, text = False, f"{first.credentials}: {type(error).__name__}"
    if works:
        return good("endpoints", text)
    names = ", ".join(spec.name for spec in specs[:5]) + (f" and {len(specs) - 5} more" if len(specs) > 5 else "")
    return bad("endpoints", f"{names}: {text}", f"`connections test {first.name}` goes through it step by step.")
