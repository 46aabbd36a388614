"""The keys of a file format: spellings that mean the same, and what is refused with the nearest valid one."""

from __future__ import annotations

import pytest

from data_connections.errors import ConfigurationError
from data_connections.spec import FileFormat


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        ("delimiter=tab", "delimiter", "\t"),
        ("delimiter=\\t", "delimiter", "\t"),
        ("delimiter=\t", "delimiter", "\t"),
        ("delimiter=semicolon", "delimiter", ";"),
        ("delimiter=, ", "delimiter", ", "),
        ("delimiter=\\x01", "delimiter", "\x01"),
        ("delimiter=auto", "delimiter", None),
        ("Delimiter=|", "delimiter", "|"),
        ("quote=none", "quote", ""),
        ("quote=", "quote", ""),
        ("quote='", "quote", "'"),
        ('quote="', "quote", '"'),
        ("escape=backslash", "escape", "\\"),
        ("escape=\\", "escape", "\\"),
        ("escape=doubled", "escape", "doubled"),
        ("escape=", "escape", ""),
        ("newline=CRLF", "newline", "crlf"),
        ("newline=\\r\\n", "newline", "crlf"),
        ("newline=\r", "newline", "cr"),
        ("newline=~~", "newline", "~~"),
        ("encoding=UTF-16", "encoding", "utf-16"),
        ("skip-lines=2", "skip_lines", 2),
        ("header=no", "header", False),
        ("header=0", "header_rows", 0),
        ("header_rows=0", "header", False),
        ("header_rows=3", "header_rows", 3),
        ('names=a,"b,c"', "names", ("a", "b,c")),
        ("trailing_delimiter=yes", "trailing_delimiter", True),
        ("comment=", "comment", None),
    ],
)
def test_spellings(option, key, value):
    file_format = FileFormat.from_options([option])
    assert getattr(file_format, key) == value
    assert FileFormat.model_validate(file_format.model_dump()) == file_format
    assert FileFormat.model_validate_json(file_format.model_dump_json()) == file_format


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["delimeter=,"], "Did you mean 'delimiter'?"),
        (["skip=1"], "one of the keys kind, row"),
        (["delimiter"], "KEY=VALUE"),
        (["encoding=utf9"], "no text encoding"),
        (["encoding=base64"], "no text encoding"),
        (["delimiter=\\n"], "none of them a line end"),
        (["quote=''"], "single character"),
        (["newline=crfl"], "did you mean 'crlf'?"),
        (["blank_lines=skp"], "Did you mean 'skip'?"),
        (["header=true", "header_rows=0"], "contradict"),
        (["delimiter='", "quote='"], "cannot hold the quote"),
        (["names=a,a"], "same twice"),
        (["skip_lines=-1"], "greater than or equal to 0"),
    ],
)
def test_mistakes_are_told_with_what_would_be_right(options, told):
    with pytest.raises(ConfigurationError) as mistake:
        FileFormat.from_options(options)
    assert told in str(mistake.value)


def test_every_key_is_described():
    described = FileFormat.model_json_schema()["properties"]
    assert [key for key, value in described.items() if not value.get("description")] == []
