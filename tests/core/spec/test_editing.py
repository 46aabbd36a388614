from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from data_connections.data_types import load_data_types
from data_connections.reports import load_reports
from data_connections.spec.documentation import reference
from data_connections.spec.editing import editor_schema
from data_connections.spec.sources import Source

PROJECT = Path(__file__).parents[3]
EXAMPLES = PROJECT / "include" / "connections"
INVALID = Path(__file__).with_name("invalid")
KNOWN = {
    "data_types": sorted(load_data_types([PROJECT / "include" / "schemas"])),
    "reports": sorted(load_reports(PROJECT / "include")),
}


def complaints(path: Path, **options: Any) -> list[str]:
    """What an editor underlines in a file."""
    validator = jsonschema.Draft202012Validator(editor_schema(**{**KNOWN, **options}))
    content = Source.read(path, holds="one connection").plain()
    return [error.message for error in validator.iter_errors(content)]


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(editor_schema())
    jsonschema.Draft202012Validator.check_schema(editor_schema(defaults=True))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("[a-z]*.yaml")), ids=lambda path: path.stem)
def test_the_worked_examples_have_nothing_underlined(path: Path) -> None:
    given = Source.read(EXAMPLES / "_defaults.yaml", holds="defaults").plain()

    assert complaints(path, given=given) == []
    assert complaints(path) == ["'host' is a required property"]


def test_defaults_may_say_what_kind_the_files_are() -> None:
    given = {"direction": "inbound", "method": "sftp", "credentials": "acme", "details": {"host": "h.example"}}
    validator = jsonschema.Draft202012Validator(editor_schema(given=given))
    own = {"program": "acme", "data_type": "conversions", "details": {"folder": "/", "file_pattern": "*"}}

    assert list(validator.iter_errors(own)) == []
    assert list(validator.iter_errors({**own, "direction": "outbound"})) != []
    assert list(validator.iter_errors({**own, "details": {"folder": "/"}})) != []


def test_the_example_of_defaults_has_nothing_underlined() -> None:
    assert complaints(EXAMPLES / "_defaults.yaml", defaults=True) == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("unknown-field", "'shedule' was unexpected"),
        ("unknown-field-in-details", "'fodler' was unexpected"),
        ("unknown-direction", "'inbuond' is not one of ['inbound', 'outbound']"),
        ("required-detail-left-out", "'folder' is a required property"),
        ("port-of-letters", "'ssh' is not valid under any"),
        ("unknown-choice", "'remove' is not"),
        ("misspelt-preset", "'dayly' is not valid"),
        ("name-with-a-space", "'Acme Orders' is not valid"),
    ],
)
def test_an_editor_underlines_the_same_mistakes(case: str, words: str) -> None:
    assert any(words in message for message in complaints(INVALID / f"{case}.yaml"))


def test_every_field_has_a_description() -> None:
    for name, definition in editor_schema()["$defs"].items():
        for field, about in definition["properties"].items():
            assert about.get("description"), f"{name}.{field}"


def test_the_reference_in_the_docs_is_current() -> None:
    assert (PROJECT / "docs" / "configuration.md").read_text() == reference(), "run `make docs`"
