"""The steps of the wizard, what each asks for, and which fields belong to which choice."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = ("direction", "type", "method", "credentials", "review")
FIELDS = {
    "direction": ("name", "display_name", "program", "direction"),
    "type": ("data_type",),
    "method": ("method", "methodology"),
    "credentials": ("credentials",),
    "review": ("more",),
}
"""The fields of each step that its page draws itself."""


@dataclass(frozen=True)
class Section:
    """Fields of a step that stand together.

    Attributes:
        key: What it is called in the page.
        title: What people read; none for what stands open on the step.
        step: The step.
        names: Dotted names in the spec, each with all that is below it and that no other section names.
    """

    key: str
    title: str
    step: str
    names: tuple[str, ...]


SECTIONS = (
    Section("people", "People and rights", "direction", ("description", "owner", "contacts", "access_control")),
    Section("format", "How the files are written", "type", ("format",)),
    Section("mapping", "Mapping of columns", "type", ("mapping",)),
    Section(
        "columns",
        "Columns and rows",
        "type",
        (
            "unknown_columns",
            "vanished_columns",
            "order_lines",
            "unlikely_dates",
            "allow_empty",
            "default_currency",
            "dataset",
        ),
    ),
    Section("expectations", "Expectations of your own", "type", ("expectations",)),
    Section("covers", "Days that are sent", "type", ("covers",)),
    Section("packaging", "How rows become files", "type", ("packaging",)),
    Section(
        "details",
        "",
        "method",
        (
            "details.host",
            "details.port",
            "details.tls",
            "details.to",
            "details.cc",
            "details.folder",
            "details.file_pattern",
            "details.file_name",
            "details",
        ),
    ),
    Section("schedule", "", "method", ("schedule", "time_zone")),
    Section(
        "whole",
        "Which files are taken",
        "method",
        (
            "details.exclude",
            "details.member_pattern",
            "details.marker",
            "details.manifest",
            "details.newer_than",
            "details.senders",
            "details.authserv_id",
            "details.reply_to_refused",
            "same_name",
        ),
    ),
    Section(
        "after",
        "After a file was read",
        "method",
        (
            "details.after_read",
            "details.done_folder",
            "details.failed_folder",
            "details.result_folder",
            "details.return_address",
            "details.smtp",
            "details.mark_read",
        ),
    ),
    Section("arrival", "When files are taken", "method", ("arrival",)),
    Section("expects", "What has to be there by a time of day", "method", ("expects",)),
    Section("limits", "Limits and holds", "method", ("limits",)),
    Section("alerts", "Who is told about troubles", "method", ("alerts",)),
    Section("life", "Beginning and pauses", "method", ("active_from", "paused", "status")),
    Section("server", "", "credentials", ("details.host_key", "details.certificate", "details.ends_tls")),
    Section("pgp", "PGP", "credentials", ("pgp",)),
)
_DELIMITED = "format.kind=|delimited"
_TEXT = "format.type=|csv|tsv|psv"
ONLY_WITH = {
    "details.done_folder": "details.after_read=move",
    "details.failed_folder": "details.after_read=move",
    "details.authserv_id": "details.senders=*",
    "details.reply_to_refused": "details.senders=*",
    "details.smtp": "details.return_address=*",
    "arrival.until": "arrival.mode=|window",
    "arrival.wait": "arrival.mode=|window",
    "mapping.packed_by": "mapping.packed=*",
    "format.row": "format.kind=|xml",
    "format.repeated": "format.kind=|xml",
    **{
        f"format.{name}": _DELIMITED
        for name in (
            "delimiter",
            "quote",
            "escape",
            "stray_quotes",
            "newline",
            "skip_lines",
            "skip_footer",
            "trailer",
            "header",
            "header_rows",
            "names",
            "comment",
            "blank_lines",
            "trailing_delimiter",
        )
    },
}
"""What a field is of use with: another field and its values; ``*`` is any value, an empty one the usual."""
ONLY_OUTBOUND = {"format.header": _TEXT, "format.encoding": _TEXT, "format.trailer": _TEXT, "pgp.armor": ""}
"""The same, where reports go out."""


def only_with(name: str, direction: str) -> str:
    """Return what a field is of use with, such as ``details.after_read=move``; nothing where it always is."""
    if direction == "outbound":
        return ONLY_OUTBOUND.get(name, "")
    return ONLY_WITH.get(name, "")


def section_of(name: str) -> Section | None:
    """Return the section that a field, or something below one, belongs to."""
    found = [(len(each), section) for section in SECTIONS for each in section.names if is_below(name, each)]
    return max(found, key=lambda each: each[0])[1] if found else None


def step_of(name: str | None) -> str:
    """Return the step that asks for a field; what no step asks for is on the review."""
    given = name or ""
    if given.startswith(("new_", "edit_")):
        return "credentials"
    if given == "sample":
        return "review"
    section = section_of(given)
    if section:
        return section.step
    return next((step for step, names in FIELDS.items() if given.partition(".")[0] in names), "review")


def is_below(name: str, other: str) -> bool:
    """Whether a dotted name is another one, or stands below it."""
    return name == other or name.startswith(f"{other}.")
