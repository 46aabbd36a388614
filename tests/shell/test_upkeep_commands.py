"""`connections doctor` and `connections drain` on a stack that runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixtures.typed import Shell
from local_stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

MAINTENANCE = "connections_maintenance"


def paused(found: dict[str, Any]) -> list[str]:
    texts = [finding["text"] for finding in found["findings"]]
    return [text for text in texts if text.startswith("Paused:") and MAINTENANCE in text]


def test_an_installation_that_is_well_and_one_that_is_drained(shell: Shell) -> None:
    found = shell.json("doctor", "--no-endpoints")
    assert found["ok"]
    looked_at = {finding["check"] for finding in found["findings"]}
    assert looked_at >= {"Python", "packages", "disk", "keys", "processes", "ledger", "clocks", "locks", "landing area"}
    assert looked_at >= {"recovery", "Airflow", "DAGs", "pools", "Airflow's database"}
    assert paused(found) == []

    drained = shell.json("drain", "--timeout", "120")
    assert MAINTENANCE in drained["paused"]
    assert (drained["busy"], drained["drained"]) == ([], True)
    assert len(paused(shell.json("doctor", "--no-endpoints"))) == 1

    assert MAINTENANCE in shell.json("drain", "--end")["unpaused"]
    assert shell.json("drain", "--end")["unpaused"] == []


def test_what_runs_under_its_supervisor_is_not_stopped(shell: Shell, stack: Stack, tmp_path: Path) -> None:
    done: subprocess.CompletedProcess[str] = shell("doctor", "--stop")
    assert (done.returncode, "make down" in done.stderr) == (2, True)
    assert stack.is_ready()
