"""The values of the Kubernetes guide: their variables and commands are those that there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from data_connections.settings import PROJECT
from deployment.settings_table import PARTS
from fixtures.compose import services

GUIDE = (PROJECT / "docs" / "kubernetes.md").read_text()
OURS = {variable.name for _, variables in PARTS for variable in variables}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """The guide's values.yaml."""
    [block] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    return dict(YAML(typ="safe").load(block))


def variables_of(values: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in [*values["env"], *values["workers"]["env"]]}


def test_every_variable_is_one_that_is_read(values: dict[str, Any]) -> None:
    from airflow.configuration import conf

    given = {*variables_of(values), *(each["envName"] for each in values["secret"])}
    unknown = []
    for name in given:
        section, _, option = name.removeprefix("AIRFLOW__").lower().partition("__")
        known = (
            name in OURS if name.startswith("CONNECTIONS_") else conf.get(section, option, fallback=None) is not None
        )
        unknown += [] if known else [name]
    assert unknown == []


def test_the_chart_takes_texts_for_values(values: dict[str, Any]) -> None:
    """Its schema refuses numbers and booleans there, and other keys than these."""
    for each in [*values["env"], *values["workers"]["env"]]:
        assert each.keys() == {"name", "value"}
        assert isinstance(each["value"], str)
    for each in values["secret"]:
        assert each.keys() == {"envName", "secretName", "secretKey"}


def test_what_compose_has_to_say_is_said_here_too(values: dict[str, Any]) -> None:
    here, compose = variables_of(values), services()["worker"]["environment"]
    same = [name for name in here if name in compose and name not in ("CONNECTIONS_LANDING_URL", "CONNECTIONS_HOME")]
    assert len(same) >= 4
    assert {name: here[name] for name in same} == {name: compose[name] for name in same}
    assert here["CONNECTIONS_HOME"] == compose["CONNECTIONS_HOME"]
    assert values["airflowHome"] == compose["AIRFLOW_HOME"]
    assert f"airflow=={values['airflowVersion']}" in (PROJECT / "requirements.txt").read_text()


def test_its_commands_are_there() -> None:
    from typer.main import get_command

    from command_line.main import app

    root: Any = get_command(app)
    commands = set(re.findall(r"`[^`\n]*connections (gateway serve|list|drain)", GUIDE))
    assert commands == {"list", "drain", "gateway serve"}
    for command in commands:
        group = root
        for word in command.split():
            group = group.commands[word]
