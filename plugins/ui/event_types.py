"""Event types as pages and API change them: locking, reason codes, and the connection that takes their returns."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

from data_connections.catalog import activity, all_current, changes_between, current
from data_connections.catalog.reference import Reference
from data_connections.catalog.reference_entries import EventType, Locking, Program, ReasonCode
from data_connections.catalog.reference_ledger import ReferenceStep, apply_reference
from data_connections.ledger import Ledger
from data_connections.queries.event_types import event_type, set_returns_connection, takers_of_returns
from ui.saving import EditConflict, save_spec
from ui.visitor import Visitor

_USUAL_PATTERN = "*.csv"


class ReturnsOrder(BaseModel):
    """How the returns of an event type come: by a connection that is there, by one that is made, or not at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    way: Literal["none", "existing", "push", "pull", "mail", "mail_push"] = Field(
        description="`push`: files are put into a folder that we host; `pull`: we fetch them from a server; `mail`: "
        "they are mailed to a mailbox of ours; `mail_push`: they are mailed to an address at our gateway."
    )
    connection: str = Field(default="", max_length=100, description="For `existing`: which one.")
    method: Literal["sftp", "ftp"] = Field(default="sftp", description="FTP is FTPS, unless the spec says otherwise.")
    host: str = Field(default="", max_length=255, description="For `pull` and `mail`: the server.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Its port; the usual one if empty.")
    folder: str = Field(default="/", min_length=1, max_length=500, description="For `pull`: directory of the files.")
    file_pattern: str = Field(default=_USUAL_PATTERN, min_length=1, max_length=200, description="Which files.")
    credentials: str = Field(default="", max_length=100, description="For `pull` and `mail`: the stored login.")

    @property
    def is_hosted(self) -> bool:
        """Whether files come to us: into a folder that we host, or to an address at our gateway."""
        return self.way in ("push", "mail_push")


def visible_event_type(ledger: Ledger, visitor: Visitor, number: int) -> dict[str, Any]:
    """Return an event type with its reason codes and the connections that may take its returns.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    with ledger.connect() as connection:
        visible = visitor.visible_ids(connection)
        found = event_type(connection, visible, number)
        if found is None:
            raise HTTPException(404, f"There is no event type {number}.")
        return {**found, "takers": takers_of_returns(connection, visible, found["program"])}


def must_change(visitor: Visitor) -> None:
    """Refuse the request unless the user may change event types.

    Raises:
        HTTPException: 403.
    """
    visitor.must(visitor.may_create, "change event types")


def version_of(one: dict[str, Any]) -> str:
    """Return what tells an event type, as ``visible_event_type`` returns it, from what it was before an edit."""
    state = [*_policy(one).values(), one["reason_codes"], one["returns_connection_id"]]
    return hashlib.sha256(json.dumps(state, default=str).encode()).hexdigest()[:16]


def must_be(one: dict[str, Any], expected: str, wanted: Mapping[str, Any]) -> None:
    """Refuse an edit that was written against another state of an event type.

    Args:
        one: The event type as it is.
        expected: Version of what was changed.
        wanted: What it is to be.

    Raises:
        EditConflict: Somebody else changed it meanwhile.
    """
    version = version_of(one)
    if version != expected:
        now = {"locking": _policy(one), "reason_codes": one["reason_codes"], "returns": one["returns_connection"]}
        changes = changes_between({name: now[name] for name in wanted}, wanted)
        raise EditConflict(f"{one['name']} was changed by somebody else meanwhile.", version, changes)


def _policy(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[f"locking_{name}"] for name in ("after", "months", "days")}


def change_event_type(
    ledger: Ledger,
    visitor: Visitor,
    one: dict[str, Any],
    locking: Locking,
    codes: tuple[ReasonCode, ...],
    expected: str,
) -> list[ReferenceStep]:
    """Give an event type another locking policy and reason codes; actions that are there keep their locking date.

    Raises:
        ConfigurationError: They cannot stand beside what is there.
        EditConflict: The event type is no longer of the version ``expected``.
    """
    wanted = {
        "locking": locking.model_dump(mode="json"),
        "reason_codes": [each.model_dump(mode="json") for each in codes],
    }
    must_be(one, expected, wanted)
    row = ledger.one("select * from program where id = %s", [one["program_id"]])
    assert row is not None  # noqa: S101 - an event type's program is never deleted
    changed = EventType(
        id=one["id"],
        code=one["code"],
        name=one["name"],
        duplicate_window_days=one["duplicate_window_days"],
        active=one["active"],
        locking=locking,
        late_after_days=one["late_after_days"],
        chained_to=one["parent_id"],
        reason_codes=codes,
    )
    fields = Program.model_fields.keys() - {"event_types"}
    program = Program(**{name: row[name] for name in fields}, event_types=(changed,))
    steps = apply_reference(ledger, Reference((program,), ()), visitor.name)
    return [step for step in steps if step.action != "keep"]


def set_returns(ledger: Ledger, visitor: Visitor, one: dict[str, Any], order: ReturnsOrder) -> str | None:
    """Make or change the connection that takes the returns of an event type, and return its name.

    Raises:
        Mistakes: Everything that keeps the connection from being saved.
        HTTPException: 403 where the user may not change it, 422 for one that does not fit.
    """
    name = None if order.way == "none" else _taker(ledger, visitor, one, order)
    number = current(ledger, name).connection_id if name else None
    with ledger.connect() as connection:
        set_returns_connection(connection, one["id"], number)
        subject = f"event type {one['id']} ({one['name']})"
        details = {"way": order.way, "connection": name}
        activity.record(connection, visitor.name, "event_type.returns", subject, connection_id=number, details=details)
    return name


def _taker(ledger: Ledger, visitor: Visitor, one: dict[str, Any], order: ReturnsOrder) -> str:
    if order.way == "existing":
        if order.connection not in [each["name"] for each in one["takers"]]:
            raise HTTPException(422, f"{order.connection!r} takes no returns of the program {one['program']}.")
        return order.connection
    name = one["returns_connection"] if one["returns_connection"] and not one["returns_deleted_at"] else _new_name(one)
    found = all_current(ledger, only=name)
    spec = _changed(dict(found[0].content) if found else {}, order) | {"name": name, "program": one["program"]}
    spec.setdefault("display_name", f"{one['program_name']}: returns of {one['name']}"[:200])
    save_spec(ledger, visitor, spec, source="screen", expected=None)
    return name


def _changed(kept: dict[str, Any], order: ReturnsOrder) -> dict[str, Any]:
    """Return the content of the connection as ordered; what the order does not speak of stays where it still fits."""
    place: dict[str, Any] = {"file_pattern": order.file_pattern}
    if not order.is_hosted:
        place |= {"host": order.host, **({"port": order.port} if order.port else {})}
    if order.way == "pull":
        place["folder"] = order.folder
    method = "email" if order.way in ("mail", "mail_push") else order.method
    methodology = "push" if order.is_hosted else "pull"
    details = kept.get("details", {})
    same_kind = (kept.get("method"), kept.get("methodology")) == (method, methodology)
    same_server = same_kind and details.get("host") == place.get("host")
    chosen = {"data_type": "action_modifications", "direction": "inbound"}
    chosen |= {"method": method, "methodology": methodology}
    return {
        **{name: value for name, value in kept.items() if name != "credentials"},
        **chosen,
        "details": {**(details if same_server else {}), **place},
        **({"credentials": order.credentials} if order.credentials and not order.is_hosted else {}),
    }


def _new_name(one: dict[str, Any]) -> str:
    text = f"{one['program']}-{one['code'] or one['id']}-returns".lower()
    return re.sub(r"[^a-z0-9_-]+", "-", text)[:100]
