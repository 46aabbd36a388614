"""docs/settings.md names every variable that the code reads, and no other."""

from __future__ import annotations

import re

from data_connections.settings import PROJECT
from deployment.settings_table import PARTS, as_markdown

NAMED = re.compile(r"\bCONNECTIONS_[A-Z_]*[A-Z]\b")
INTERNAL = {"CONNECTIONS_STACK"}
"""What one process of the local stack tells another."""


def test_every_variable_that_the_code_names_stands_in_the_table() -> None:
    table = {variable.name for _, variables in PARTS for variable in variables}
    code = [path for path in (PROJECT / "plugins").rglob("*.py") if path.name != "settings_table.py"]
    read = {name for path in code for name in NAMED.findall(path.read_text())}
    assert read - INTERNAL == {name for name in table if name.startswith("CONNECTIONS_")}


def test_the_page_is_the_present_one() -> None:
    assert (PROJECT / "docs" / "settings.md").read_text() == as_markdown()
