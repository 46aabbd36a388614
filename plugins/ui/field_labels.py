"""What fields of a spec are called in forms."""

from __future__ import annotations

from ui.wizard_layout import Section, is_below, section_of

_LABELS = {
    "mapping.columns.from": "Their column",
    "mapping.columns.name": "Our column",
    "mapping.columns": "Columns that are mapped",
    "expects": "Expected",
    "expectations.rows": "Expectations of each row",
    "expectations.file": "Expectations of the file",
    "access_control": "Rights of roles",
    "contacts.ours": "Contacts on our side",
    "contacts.partner": "Contacts on the partner's side",
    "details.host_key": "Public keys of the server",
    "details.certificate": "Certificates of the server",
    "details.authserv_id": "Name of our mail server",
    "details.smtp": "Mail server for answers",
    "pgp.credentials": "PGP keys",
}
_HINTS = {
    "mapping.columns": "Columns of the data type, and where their values come from; the others go by their own names.",
    "mapping.columns.name": "A column of the data type.",
    "mapping.preset": "A mapping to begin with; what stands here wins.",
    "schedule": "hourly, every 4 hours, twice daily, daily, weekly, monthly, on request, or a cron line such as "
    "30 6 * * *.",
    "time_zone": "Such as Europe/Berlin.",
    "pgp.credentials": "Keys that were stored under Credentials.",
    "access_control": "What roles may do with the connection.",
}
_PARTS = {"details", "format", "mapping", "packaging", "covers", "arrival", "limits", "alerts", "pgp", "expectations"}
"""Parts whose fields stand in a section of their own, so that nobody needs to be told."""


def field_label(name: str, rows: str = "") -> str:
    """Return what a field is called: its name as words, or better ones.

    Args:
        name: Dotted name in the spec; in a row, its name in the row.
        rows: Of a row: the field of rows.
    """
    whole = f"{rows}.{name}" if rows else name
    first, _, rest = name.partition(".")
    words = (rest if first in _PARTS and rest and not rows else name).replace(".", " ").replace("_", " ")
    return _LABELS.get(whole, words[:1].upper() + words[1:])


def field_hint(hint: str, name: str, rows: str = "") -> str:
    """Return what a field is, for people: as its model says, or in better words for a form."""
    return _HINTS.get(f"{rows}.{name}" if rows else name, hint)


def row_of(path: str) -> str:
    """Return the field of rows that a row such as ``mapping.columns.0.`` is of, with a dot at its end."""
    return path.rstrip(".").rpartition(".")[0] + "."


def is_in_section(name: str, section: Section) -> bool:
    """Whether a field is one of a section's."""
    return section_of(name) is section or any(is_below(name, each) for each in section.names)
