"""Airflow's FAB auth manager for real: roles that `access_control` names have their rights, other roles none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_connections.settings import PROJECT

pytestmark = pytest.mark.airflow


def test_roles_of_access_control_do_what_it_says(ledger_url: str, empty_database: str, tmp_path: Path) -> None:
    paths = [str(PROJECT / "plugins"), str(PROJECT / "tests")]
    ran = subprocess.run(
        [sys.executable, "-m", "fixtures.fab_roles", str(tmp_path), ledger_url, empty_database],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])

    def told(role: str) -> tuple[int, ...]:
        return tuple(found[role][what] for what in ("listed", "see", "send", "pause", "replay", "edit", "create"))

    assert told("acme-view") == (1, 200, 403, 403, 403, 403, 403)
    assert told("acme-run") == (1, 200, 200, 303, 303, 403, 403)
    assert told("acme-edit") == (1, 200, 200, 303, 303, 200, 403)
    assert told("zenith") == (0, 404, 404, 403, 404, 404, 403)
    assert told("Viewer") == told("acme-view")
    assert told("User") == told("acme-edit")
    assert told("Op") == told("Admin") == (1, 200, 200, 303, 303, 200, 200)
