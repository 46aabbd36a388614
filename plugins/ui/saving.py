"""Saving a spec from the screen or the API: the rights it needs, the limit, and the revision it was written against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import HTTPException

from data_connections.catalog import Change, Intent, Plan, StoredSpec, all_current, apply_specs, plan_specs
from data_connections.errors import Mistakes
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.spec import ConnectionSpec, LoadedSpec, parse_spec
from data_connections.steps.known_names import known_names
from ui.limits import room_for_more
from ui.visitor import Visitor

Source = Literal["screen", "api"]


class EditConflict(Exception):
    """Somebody else changed meanwhile what is to be changed.

    Args:
        message: What was changed, and by whom.
        version: Its version now.
        changes: What differs between it and what was to be saved.
    """

    def __init__(self, message: str, version: int | str, changes: tuple[Change, ...]) -> None:
        self.version = version
        self.changes = changes
        super().__init__(f"{message} Look at the difference and save again.")


def preview_spec(ledger: Ledger, content: Mapping[str, Any], source: Source) -> tuple[ConnectionSpec, Plan]:
    """Return the spec and what saving it would do; nothing is changed.

    Raises:
        Mistakes: Everything that keeps it from being saved.
    """
    spec = parse_spec(content)
    known = known_names(ledger, Settings.from_environment())
    return spec, plan_specs(ledger, [LoadedSpec(spec, None)], known, _intent(ledger, spec.name, source))


def save_spec(
    ledger: Ledger, visitor: Visitor, content: Mapping[str, Any], *, source: Source, expected: int | None
) -> Plan:
    """Save a spec as a connection's next revision, and return what was done.

    Args:
        ledger: The ledger.
        visitor: Who saves it.
        content: The spec as plain values.
        source: What is to stand as its manager.
        expected: The revision that was changed; 0 for a new connection, None where that does not matter.

    Raises:
        Mistakes: Everything that keeps it from being saved.
        EditConflict: The connection is no longer at the expected revision.
        HTTPException: 403 where the user may not.
    """
    spec, plan = preview_spec(ledger, content, source)
    step = plan.steps[0]
    old = step.old if step.old and not step.old.deleted_at else None
    _check_rights(ledger, visitor, spec, old)
    if old and expected is not None and old.number != expected:
        raise EditConflict(
            f"{old.name} was changed by {old.created_by} meanwhile: it is at revision {old.number} now.",
            old.number,
            step.changes,
        )
    known = known_names(ledger, Settings.from_environment())
    intent = _intent(ledger, spec.name, source)
    return apply_specs(ledger, [LoadedSpec(spec, None)], known, intent, visitor.name)


def _check_rights(ledger: Ledger, visitor: Visitor, spec: ConnectionSpec, old: StoredSpec | None) -> None:
    if old is None:
        visitor.must(visitor.may_create, "create connections")
        room = room_for_more(ledger, spec.program)
        if room.message:
            raise HTTPException(409, f"{room.message}. Ask whoever runs this installation to raise it.")
    must_use(visitor, spec, old)


def must_use(visitor: Visitor, spec: ConnectionSpec, old: StoredSpec | None) -> None:
    """Refuse a spec, to be saved or only tried out, that reaches for more than the user may.

    Whoever may edit a connection may not hand its login to another server, take up logins and keys of others, nor make
    it one of another program, whose data it would bring or send.

    Args:
        visitor: Who asks.
        spec: What the connection is to be.
        old: What it is; None for a new one.

    Raises:
        HTTPException: 403.
    """
    content = spec.model_dump(mode="json")
    before = _whole(old) if old else {}
    if old is not None:
        visitor.must(visitor.may_edit(old.name), f"change {old.name}")
        if content["program"] != before.get("program"):
            visitor.must(visitor.may_create, f"make {old.name} a connection of another program")
    new = _logins(content) - _logins(before)
    if _server(content) != _server(before) and spec.credentials is not None:
        new.add(spec.credentials)
    for credentials in sorted(new):
        if not visitor.may_use(credentials):
            raise HTTPException(403, f"You may not send the credentials {credentials} to another server.")


def _whole(old: StoredSpec) -> Mapping[str, Any]:
    """Return a stored content with the fields that are at their defaults, where it is still a spec."""
    try:
        return old.spec.model_dump(mode="json")
    except Mistakes:
        return old.content


def _server(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what decides whom a login is shown to: the server, and how it proves itself."""
    details = content.get("details", {})
    return (content.get("method"), *(details.get(field) for field in _REACHED))


_REACHED = ("host", "port", "tls", "host_key", "certificate")


def _logins(content: Mapping[str, Any]) -> set[str]:
    """Return the names of all credentials and keys that a content names."""
    parts = (content, "credentials"), (content.get("details", {}), "smtp"), (content.get("pgp") or {}, "credentials")
    return {part[field] for part, field in parts if part.get(field)}


def _intent(ledger: Ledger, name: str, source: Source) -> Intent:
    """Let screen and API change what either of them made; what files manage stays theirs."""
    found = all_current(ledger, only=name, with_deleted=True)
    manager = found[0].managed_by if found else source
    return Intent(manager if manager in ("screen", "api") else source)
