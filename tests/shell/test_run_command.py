from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.typed import Shell
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SPEC = """name: {name}
program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: partner
schedule: on request
arrival: {{wait: 3, look_every: 0.5}}
details: {{host: 127.0.0.1, port: {port}, folder: /in, file_pattern: "*.csv", result_folder: /results}}
"""


@pytest.fixture
def applied(shell: Shell, sftp_partner: PartnerServer, tmp_path: Path) -> Iterator[str]:
    """A connection of this test alone, to a partner of this test alone."""
    name = f"orders-{sftp_partner.port}"
    folder = tmp_path / "connections"
    folder.mkdir()
    (folder / f"{name}.yaml").write_text(SPEC.format(name=name, port=sftp_partner.port))
    assert shell("reference", "apply").returncode == 0
    done = shell("apply", "-f", folder, "--source", name)
    assert done.returncode == 0, done.stderr
    yield name
    shell("credentials", "delete", "partner", "--force")


def store(shell: Shell, partner: PartnerServer, *more: object) -> subprocess.CompletedProcess[str]:
    arguments = ("--login", partner.login.login, "--password-env", "PW", *more)
    return shell("credentials", "set", "partner", *arguments, PW=partner.login.password)


def test_a_run_is_started_followed_and_told(shell: Shell, applied: str, sftp_partner: PartnerServer) -> None:
    assert store(shell, sftp_partner, "--fetch-host-key", f"127.0.0.1:{sftp_partner.port}", "--yes").returncode == 0
    example = shell("template", "conversions", "order", "--example").stdout
    (sftp_partner.files / "in" / "orders.csv").write_text(example)

    done = shell("run", applied, "--wait", "--unpause")

    assert done.returncode == 0, done.stderr
    assert "1 file, 3 rows: 3 accepted, 0 rejected" in done.stderr
    (run,) = shell.json("history", applied)
    assert run["dag_run_id"] == done.stdout.strip()
    assert (run["airflow_state"], run["state"], run["accepted"]) == ("success", "completed", 3)
    (listed,) = [each for each in shell.json("list") if each["name"] == applied]
    assert listed["status"] == "Completed"
