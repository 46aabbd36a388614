"""The reference of data types for people, made from the models, the codes and the built-in data types."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from data_connections.data_types.applying_codes import APPLYING_CODES, OTHERS_CODES
from data_connections.data_types.codes import FILE_CODES, ROW_CODES, Code
from data_connections.data_types.column import Column, MaximumAge, Refusal, Spelling
from data_connections.data_types.definition import DataType, Group, Measures, RefusedHeaders, RowRule
from data_connections.data_types.file_rules import Days, HeaderRule, OpenColumns
from data_connections.data_types.keep import Keep, Removal
from data_connections.data_types.library import load_data_types
from data_connections.data_types.reading_codes import BROKEN_ROW_CODES, READING_CODES
from data_connections.data_types.suite import FILE_EXPECTATIONS, ROW_EXPECTATIONS, Expectation, Suite
from data_connections.settings import PROJECT

_INTRODUCTION = """# Data type reference

<!-- Made by `make docs` from plugins/data_connections/data_types and include/schemas: change it there. -->

How to write a data type is told in [data-types.md](data-types.md). Keys that are not listed here are refused.
"""
_MODELS: Mapping[str, tuple[type[BaseModel], frozenset[str]]] = {
    "`columns.yaml`": (DataType, frozenset({"version", "suite"})),
    "`columns[]`": (Column, frozenset()),
    "`columns[].max_age`": (MaximumAge, frozenset()),
    "`columns[].spellings[]`": (Spelling, frozenset()),
    "`columns[].refused[]`": (Refusal, frozenset()),
    "`header_rules[]`": (HeaderRule, frozenset()),
    "`open_columns`": (OpenColumns, frozenset()),
    "`days`": (Days, frozenset()),
    "`refused_headers[]`": (RefusedHeaders, frozenset()),
    "`rules[]`": (RowRule, frozenset()),
    "`group`": (Group, frozenset()),
    "`keep`": (Keep, frozenset()),
    "`keep.removal`": (Removal, frozenset()),
    "`measures`": (Measures, frozenset()),
    "`suite.yaml`": (Suite, frozenset()),
    "`rows[]` and `file[]` of suite.yaml": (Expectation, frozenset()),
}
_CODES: Mapping[str, Mapping[str, Code]] = {
    "Codes of rows": ROW_CODES | BROKEN_ROW_CODES,
    "Codes of rows that the ledger's rules give": APPLYING_CODES,
    "Codes of files": FILE_CODES | READING_CODES,
}
_LEFT_OUT: Mapping[tuple[type[BaseModel], str], str] = {(DataType, "name"): "the folder's name"}
_TYPES = {str: "text", int: "whole number", bool: "true or false"}


def reference(data_types: Mapping[str, DataType]) -> str:
    """Return the whole reference as Markdown; the same data types give the same text."""
    parts = [_INTRODUCTION, "\n## Keys\n"]
    for title, (model, hidden) in _MODELS.items():
        parts += [f"\n### {title}\n\n{_sentence(model)}\n\n", *_keys(model, hidden)]
    parts += ["\n## Expectations for `rows`\n\n", *_list(sorted(ROW_EXPECTATIONS))]
    parts += ["\n## Expectations for `file`\n\n", *_list(sorted(FILE_EXPECTATIONS))]
    for title, codes in _CODES.items():
        parts += [f"\n## {title}\n\n", *_codes(codes)]
    parts += ["\n## Codes of other systems that no row gets here\n\n| code | why |\n|---|---|\n"]
    parts += [f"| `{code}` | {reason} |\n" for code, reason in OTHERS_CODES.items()]
    for data_type in data_types.values():
        parts += [*_data_type(data_type), *_own_codes(data_type)]
    return "".join(parts)


def _keys(model: type[BaseModel], hidden: frozenset[str]) -> Iterator[str]:
    yield "| key | value | left out | |\n|---|---|---|---|\n"
    for name, field in model.model_fields.items():
        if name in hidden:
            continue
        default = (
            _LEFT_OUT.get((model, name)) or "**required**"
            if field.is_required()
            else _shown(field.get_default(call_default_factory=True))
        )
        yield f"| `{name}` | {_kind(field.annotation)} | {default} | {_cell(field.description or '')} |\n"


def _kind(annotation: Any) -> str:
    if annotation in _TYPES:
        return _TYPES[annotation]
    arguments = [argument for argument in get_args(annotation) if argument not in (type(None), Ellipsis)]
    name = getattr(annotation, "__origin__", annotation)
    if arguments and all(isinstance(argument, str) for argument in arguments):
        return ", ".join(f"`{argument}`" for argument in arguments)
    if name is tuple:
        return f"list of {_kind(arguments[0])}"
    if len(arguments) == 1:
        return _kind(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return "mapping" if arguments else "number"


def _shown(default: Any) -> str:
    if default in (None, (), "", {}) or isinstance(default, BaseModel):
        return ""
    return f"`{str(default).lower()}`"


def _codes(codes: Mapping[str, Code]) -> Iterator[str]:
    yield "| code | meaning | usual cause | cure |\n|---|---|---|---|\n"
    for code, about in codes.items():
        yield f"| `{code}` | {_cell(about.meaning)} | {_cell(about.cause)} | {_cell(about.cure)} |\n"


def _data_type(data_type: DataType) -> Iterator[str]:
    yield f"\n## {data_type.title}: `{data_type.name}`\n\n{data_type.description}\n\n"
    yield "| column | other names | holds | |\n|---|---|---|---|\n"
    for columns in _alike(data_type.columns):
        column, last = columns[0], columns[-1]
        names = f"`{column.name}`" if column is last else f"`{column.name}` to `{last.name}`"
        aliases = ", ".join(f"`{alias}`" for alias in column.aliases)
        yield f"| {names} | {aliases} | {_holds(column)} | {_cell(_remarks(column))} |\n"


def _alike(columns: Sequence[Column]) -> list[list[Column]]:
    """Put columns that differ by a number alone together."""
    together: list[list[Column]] = []
    for column in columns:
        stem = column.name.rstrip("0123456789")
        if together and stem != column.name and together[-1][0].name.rstrip("0123456789") == stem:
            together[-1].append(column)
        else:
            together.append([column])
    return together


def _own_codes(data_type: DataType) -> Iterator[str]:
    texts: dict[str, list[str]] = {}
    for code, text in told_codes(data_type):
        texts.setdefault(code, []).append(text)
    if texts:
        yield "\nCodes of its own:\n\n| code | when |\n|---|---|\n"
    for code, told in texts.items():
        yield f"| `{code}` | {_cell(' '.join(dict.fromkeys(told)))} |\n"


def _holds(column: Column) -> str:
    limits = [
        f"{column.precision} digits" if column.precision and not column.scale else "",
        f"{column.precision},{column.scale} digits" if column.precision and column.scale else "",
        f"up to {column.max_length} characters" if column.max_length else "",
        f"{column.minimum} or more" if column.minimum is not None else "",
        f"{column.maximum} or less" if column.maximum is not None else "",
        f"`{_cell(column.pattern)}`" if column.pattern else "",
        " or ".join(f"`{value}`" for value in column.allowed),
    ]
    return ", ".join([column.type, *filter(None, limits)])


def _remarks(column: Column) -> str:
    alternatives = " or ".join(column.required_unless)
    needed = "**Required.**" if column.required else f"**Required unless {alternatives}.**" if alternatives else ""
    return " ".join(filter(None, [needed, column.description, "Personal." if column.personal else ""]))


def told_codes(data_type: DataType) -> Iterator[tuple[str, str]]:
    """Yield the codes that a data type's folder gives, each as often as it does, with when that is."""
    for column in data_type.columns:
        if column.max_age:
            longer = f" ({column.max_age.with_column_days} with {column.max_age.with_column})"
            longer = longer if column.max_age.with_column else ""
            yield (
                column.max_age.code,
                f"{column.name} is more than {column.max_age.days} days{longer} before the receipt.",
            )
        for usual, code in column.codes.items():
            yield code, f"{column.name}: {ROW_CODES[usual].meaning if usual in ROW_CODES else usual}"
        yield from ((about.code, f"{column.name}: {about.message}") for about in column.refused)
    if data_type.group:
        yield data_type.group.repeated_code, "The lines of one group come again, or apart from each other: a duplicate."
        yield data_type.group.incomplete_code, "Another line of the same group is rejected."
        if data_type.group.total:
            yield data_type.group.total_code, f"{data_type.group.total} is not what the lines of the group add up to."
    yield from _file_codes(data_type)
    suite = data_type.suite
    told: Sequence[RowRule | RefusedHeaders | Expectation] = (
        *data_type.rules,
        *data_type.refused_headers,
        *suite.rows,
        *suite.file,
    )
    yield from ((about.code, about.message) for about in told)


def _file_codes(data_type: DataType) -> Iterator[tuple[str, str]]:
    days, opened = data_type.days, data_type.open_columns
    if days:
        yield days.code, f"{days.column} has more than {days.most} different days; the file is refused."
    if opened:
        yield from ((about.code, about.message) for about in opened.refused)
        if opened.needed_code:
            yield opened.needed_code, opened.needed_message
    yield from ((rule.code, rule.message) for rule in data_type.header_rules)


def _list(names: Sequence[str]) -> Iterator[str]:
    yield from (f"* `{name}`\n" for name in names)


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").replace("``", "`").split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference(load_data_types([PROJECT / "include" / "schemas"])))
