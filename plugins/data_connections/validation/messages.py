"""The sentences that go with codes: the column, what was found, what to do."""

from __future__ import annotations

from data_connections.data_types import Column, Severity
from data_connections.validation.lexical import decimal_size
from data_connections.validation.outcomes import Finding, ValidationOptions
from data_connections.validation.withheld import without_addresses

_SHOWN_CHARACTERS = 40

SENTENCES = {
    "REQUIRED": "{column} is empty{alternatives}. Every row needs it.",
    "NOT_INTEGER": "{column} is {found}, which is not a whole number. Write digits only, such as 42.{space}",
    "NOT_DECIMAL": "{column} is {found}, which is not a decimal number. Write it like 1234.50.{space}",
    "TOO_MANY_DECIMALS": "{column} is {found}, with more than {scale} decimals. It is not rounded here: correct it.",
    "TOO_MANY_DIGITS": "{column} is {found}, with more than {digits} digits{before_point}. Check the value.",
    "TOO_SMALL": "{column} is {found}. It must be {minimum} or more.",
    "TOO_LARGE": "{column} is {found}. It must be {maximum} or less.",
    "NOT_BOOLEAN": "{column} is {found}. Write true or false.",
    "NOT_DATETIME": "{column} is {found}, which is no date and time of ISO 8601. "
    "Write it like 2026-03-01T14:05:09Z.{space}",
    "LOCAL_TIME_SKIPPED": "{column} is {found}, which the clocks of {zone} skip. Add the offset from UTC.",
    "LOCAL_TIME_REPEATED": "{column} is {found}, which the clocks of {zone} show twice. Add the offset from UTC.",
    "DATE_UNLIKELY": "{column} is {found}, before 1990. Check the year.",
    "EVENT_IN_FUTURE": "{column} is {found}, after the file was received ({received}). Correct the date.",
    "TOO_LONG": "{column} has {length} characters, {found}. It takes {max_length}: shorten it.",
    "PATTERN": "{column} is {found}, which does not have its form{description}.",
    "NOT_ALLOWED": "{column} is {found}. It takes: {allowed}.",
    "CONTROL_CHARACTER": "{column} is {found}, with a character that cannot be seen. Remove it.",
    "SPACE_AROUND_KEY": "{column} is {found}. The spaces are kept as part of it: remove them if they do not belong.",
    "CURRENCY_UNKNOWN": "{column} is {found}, which is no currency in use (ISO 4217). Write a code such as EUR.",
    "LOOKS_GUARDED": "{column} is {found}. The apostrophe is kept as part of it; if it only guards a formula, as in "
    "our reports, the connection has to say format.formula_guard: undo.",
}
_WARNINGS = ("SPACE_AROUND_KEY", "LOOKS_GUARDED")
_DATES = ("DATE_UNLIKELY", "EVENT_IN_FUTURE")
_TOO_OLD = "{column} is {found}, more than {age} before the file was received ({received})."


def cell_finding(column: Column, code: str, line: int, cell: str, options: ValidationOptions) -> Finding:
    """Return the finding about one bad cell, with the column's own code and sentence where it has them.

    Args:
        column: The cell's column.
        code: Usual code of what is wrong.
        line: Line of the row.
        cell: What the cell holds.
        options: Names the zone and the received time.
    """
    own = column.messages.get(code)
    message = own if own is not None else _sentence(column, code, cell, options)
    severity: Severity = "warning" if column.lenient else usual_severity(code, options)
    if column.lenient:
        message += f" The row is taken without {column.name}."
    return Finding(line, column.name, column.codes.get(code, code), message, severity)


def usual_severity(code: str, options: ValidationOptions) -> Severity:
    """Return whether a code rejects its row."""
    if code in _DATES:
        return options.unlikely_dates
    return "warning" if code in _WARNINGS else "error"


def shown(cell: str, column: Column) -> str:
    """Return a cell as a message may show it: shortened, unseen characters written out, nothing personal."""
    if column.personal or column.hashed:
        return "a value that is not shown because it is personal"
    cell = without_addresses(cell)
    return repr(cell) if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]!r}..."


def _sentence(column: Column, code: str, cell: str, options: ValidationOptions) -> str:
    precision, scale = decimal_size(column) if column.type == "decimal" else (column.precision or 18, 0)
    others = " or ".join(column.required_unless)
    return SENTENCES.get(code, _TOO_OLD).format(
        column=column.name,
        found=shown(cell, column),
        space=" Remove the spaces around it." if cell != cell.strip() else "",
        alternatives=f", and so is {others}" if others else "",
        scale=scale,
        digits=precision - scale,
        before_point=" before the point" if scale else "",
        minimum=column.minimum,
        maximum=column.maximum,
        zone=options.time_zone,
        received=f"{options.received_at:%Y-%m-%d %H:%M} UTC",
        length=len(cell),
        max_length=column.max_length,
        description=f": {column.description.rstrip('.')}" if column.description else "",
        allowed=", ".join(column.allowed),
        age=_age(column),
    )


def _age(column: Column) -> str:
    rule = column.max_age
    if rule is None:
        return ""
    longer = f" ({rule.with_column_days} with {rule.with_column})" if rule.with_column else ""
    return f"{rule.days} days{longer}"
