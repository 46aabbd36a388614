"""Pages from templates: everything escaped, one look, one navigation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from data_connections.catalog.overview import STATUS
from data_connections.currencies import money
from data_connections.endpoints.arrival import IN_WORDS
from ui.done import DONE
from ui.field_labels import field_hint, field_label, is_in_section, row_of
from ui.frame import frame
from ui.visitor import Visitor

HERE = Path(__file__).parent
NAVIGATION = (
    ("connections", "", "Connections"),
    ("destinations", "destinations", "Destinations"),
    ("integrations", "integrations", "Integrations"),
    ("submissions", "submissions", "File submissions"),
    ("deliveries", "deliveries", "Deliveries"),
    ("actions", "actions", "Actions"),
    ("expected", "expected", "Expected"),
    ("event_types", "event-types", "Event types"),
    ("data_types", "data-types", "Data types"),
    ("credentials", "credentials", "Credentials"),
    ("activity", "activity", "Activity"),
    ("health", "health", "Health"),
)
STATUS_WORDS = {**{str(key or "none"): value for key, value in STATUS.items()}}
STATE_WORDS = {
    "claimed": "In progress",
    "fetched": "In progress",
    "validated": "In progress",
    "on_hold": "On hold",
    "applied": "Applied",
    "partly_applied": "Partly applied",
    "tested": "Tested",
    "quarantined": "Quarantined",
    "duplicate": "Duplicate",
    "exported": "Exported",
    "checked": "Checked",
    "sending": "Sending",
    "delivered": "Delivered",
    "failed": "Failed",
    "pending": "Pending",
    "approved": "Approved",
    "reversed": "Reversed",
    "active": "Active",
    "initializing": "Initializing",
    "error": "Error",
}
_AS_WRITTEN = {"dag_processor": "DAG processor", "metadatabase": "Metadata database", "rest api": "REST API"}
"""Names that are no words when they are written like others."""
METHODS = {"sftp": "SFTP", "ftp": "FTP", "ftps": "FTPS", "email": "Email"}


def render(
    request: Request, template: str, visitor: Visitor | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return the page that ``template`` makes of ``values``."""
    text = (
        _environment()
        .get_template(template)
        .render(
            root=root_of(request),
            visitor=visitor,
            request=request,
            done=request.query_params.get("done"),
            **frame(visitor),
            **values,
        )
    )
    return HTMLResponse(text, status_code=status)


def root_of(request: Request) -> str:
    """Return where the app is mounted, such as ``/connections-app``."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def with_query(current: Mapping[str, Any], **changes: Any) -> str:
    """Return the query string of an address with some parameters changed; None and empty ones are left out."""
    merged = {**current, **changes}
    return "?" + urlencode({key: value for key, value in merged.items() if value not in (None, "")})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=_moment,
        duration=_duration,
        number=_number,
        money=_money,
        size=_size,
        words=_words,
        method=method_name,
    )
    environment.filters["as_options"] = _as_options
    environment.filters["why_left"] = lambda reason: IN_WORDS.get(reason, reason)
    environment.filters.update(field_label=field_label, field_hint=field_hint, row_of=row_of, in_section=is_in_section)
    environment.filters["may_edit"] = lambda name, visitor: visitor.may_edit(name)
    environment.globals.update(
        DONE=DONE, navigation=NAVIGATION, with_query=with_query, STATUS_WORDS=STATUS_WORDS, STATE_WORDS=STATE_WORDS
    )
    return environment


def _as_options(values: Sequence[str], how: str = "") -> list[tuple[str, str]]:
    """Return values with the words that a list of choices shows for them."""
    show: dict[str, Callable[[str], str]] = {"words": _words, "method": method_name}
    return [(value, show.get(how, str)(value)) for value in values if value]


def method_name(name: str) -> str:
    """Return a method as people write it, such as SFTP."""
    return METHODS.get(name, name)


def _moment(value: datetime | date | str | None) -> str:
    """Return a time in UTC, to the minute; nothing is a dash."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None:
        return "-"
    if not isinstance(value, datetime):
        return value.isoformat()
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _duration(value: timedelta) -> str:
    """Return how long something took, by its two largest units: 42 s, 3 min 5 s, 2 h 10 min."""
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _number(value: float | Decimal | str | None) -> str:
    if value is None:
        return "-"
    return f"{Decimal(str(value)):,f}"


def _money(value: Decimal | str | None, currency: str | None) -> str:
    """Return an amount with the decimals of its currency; nothing is a dash."""
    return "-" if value is None else money(value, currency)


def _size(value: int | None) -> str:
    if value is None:
        return "-"
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return ""


def _words(name: str) -> str:
    """Return a name of the code as words: ``performance_by_day`` is Performance by day."""
    if name in _AS_WRITTEN:
        return _AS_WRITTEN[name]
    text = name.replace("_", " ").replace(".", " ")
    return text[:1].upper() + text[1:]
