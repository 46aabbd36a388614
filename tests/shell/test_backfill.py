"""`connections backfill` over Airflow's own backfills, on a running stack."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.typed import Shell
from local_stack import Stack
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SPEC = """name: {name}
program: acme
data_type: performance_by_day
direction: outbound
method: sftp
credentials: {name}
schedule: "{schedule}"
details: {{host: 127.0.0.1, port: {port}, folder: /out, file_name: "{{business_date:%Y-%m-%d}}.csv"}}
"""


@pytest.fixture
def applied(shell: Shell, sftp_partner: PartnerServer, tmp_path: Path) -> Callable[[str], str]:
    """Applies an outbound connection of this test alone, with a schedule; returns its name."""
    name = f"days-{sftp_partner.port}"

    def apply(schedule: str) -> str:
        folder = tmp_path / "connections"
        folder.mkdir(exist_ok=True)
        text = SPEC.format(name=name, port=sftp_partner.port, schedule=schedule)
        (folder / f"{name}.yaml").write_text(text)
        assert shell("reference", "apply").returncode == 0
        login = ("--login", sftp_partner.login.login, "--password-env", "PW", "--yes")
        at = ("--fetch-host-key", f"127.0.0.1:{sftp_partner.port}")
        assert shell("credentials", "set", name, *login, *at, PW=sftp_partner.login.password).returncode == 0
        done = shell("apply", "-f", folder, "--source", name)
        assert done.returncode == 0, done.stderr
        return name

    return apply


def test_days_gone_by_are_held_and_sent_once_in_a_pool_that_gives_way(
    stack: Stack, shell: Shell, applied: Callable[[str], str], sftp_partner: PartnerServer
) -> None:
    # Its own next run is far away, so that whatever is sent is the backfill's.
    month = (datetime.now(UTC) + timedelta(days=40)).month
    name = applied(f"0 4 * {month} *")
    refused = shell("backfill", name, "--from", "2026-01-01", "--to", "2099-01-01")
    assert (refused.returncode, "is not over" in refused.stderr) == (2, True)
    days = [f"{datetime.now(UTC).year - 1}-{month:02}-{day:02}" for day in (3, 4)]
    asked = ("backfill", name, "--from", days[0], "--to", days[-1])

    planned = shell.json(*asked, "--dry-run")
    done = shell.json(*asked, "--hold", "--wait", "--unpause")

    assert [run["business_date"] for run in planned["runs"]] == days
    assert (done["runs"], done["failed"]) == (2, [])
    out = sftp_partner.files / "out"
    assert list(out.iterdir()) == []
    assert _pools(stack, name) == {"connections-backfill"}
    assert shell.json(*asked, "--dry-run")["runs"] == []
    assert [each["state"] for each in shell.json("deliveries", "--connection", name)] == ["on_hold", "on_hold"]

    sent = shell.json("deliveries", "send", "--connection", name)
    again = shell.json("deliveries", "send", *(str(each["id"]) for each in sent))
    _wait_for(lambda: len(list(out.glob("*.csv"))) == 2)
    for first, second in zip(sent, again, strict=True):  # what has arrived meanwhile needs no run
        assert second["dag_run_id"] in (first["dag_run_id"], None)
    assert sorted(path.name for path in out.iterdir()) == [f"{day}.csv" for day in days]
    _wait_for(lambda: {each["state"] for each in shell.json("deliveries", "--connection", name)} == {"delivered"})


def _wait_for(is_so: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.5)


def _pools(stack: Stack, name: str) -> set[str]:
    """The pools of all tasks of a connection's backfills."""
    login = dict(zip(("username", "password"), stack.login, strict=True))
    token: Any = httpx.post(f"{stack.url}/auth/token", json=login, timeout=60).json()["access_token"]
    found = httpx.get(
        f"{stack.url}/api/v2/dags/{name}/dagRuns/~/taskInstances",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    tasks = found.raise_for_status().json()["task_instances"]
    return {task["pool"] for task in tasks if task["dag_run_id"].startswith("backfill")}
