"""The examples of docs/rest-api.md, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from data_connections.catalog import current
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from fixtures.catalog import INBOUND, apply_to

pytestmark = pytest.mark.airflow

GUIDE = (PROJECT / "docs" / "rest-api.md").read_text()
FILE = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,Amount,CurrencyCode\n1000,2001,NOW,C-1,c,10.00,EUR\n"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1000, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (2001, 1000, 'Sale')")
    apply_to(ledger, INBOUND)
    with ledger.connect() as connection:
        connection.execute("update connection set managed_by = 'api'")
    return ledger


def test_every_example_does_what_the_guide_says(
    acme: Ledger, served: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = served.removesuffix("/connections-app/")
    password = _password_of("admin")
    (tmp_path / "orders.csv").write_text(FILE)
    assert shutil.which("curl")
    (shell,) = examples("sh")
    adapted = shell.replace("http://localhost:8080", airflow).replace('"..."', f'"{password}"')
    assert airflow in adapted
    assert password in adapted
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{adapted}\necho; echo TOKEN=$TOKEN"],
        cwd=tmp_path,
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert '"items":[]' in ran.stdout
    assert '"submission_id":1' in ran.stdout
    token = ran.stdout.rpartition("TOKEN=")[2].strip()

    names = {"airflow": airflow, "token": token}
    for example in examples("python"):
        exec(compile(example, "docs/rest-api.md", "exec"), names)
    assert current(acme, "acme-conversions").spec.owner == "partner team"
    assert _final_states(acme) == [("orders.csv", "applied"), ("rows.csv", "applied")]
    assert re.search(r"^(claimed|fetched|validated|applied)$", capsys.readouterr().out, re.M)


def test_the_guide_names_every_call(acme: Ledger, served: str, client) -> None:
    token = client("admin").cookies.get("_token")
    answer = httpx.get(f"{served}api/v1/openapi.json", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    missing = []
    for path in answer.json()["paths"]:
        last = [part for part in path.removeprefix("/api/v1/").split("/") if not part.startswith("{")][-1]
        if not re.search(rf"\b{last}\b", GUIDE):
            missing.append(path)
    assert missing == []


def _final_states(acme: Ledger) -> list[tuple[str, str]]:
    """Return name and state of each file once the API, which answers before, is through with it."""
    ends = time.monotonic() + 60
    while True:
        files = acme.all("select file_name, state from submission order by id")
        if all(each["state"] not in ("claimed", "fetched", "validated") for each in files) or time.monotonic() > ends:
            return [(each["file_name"], each["state"]) for each in files]
        time.sleep(0.05)


def _password_of(name: str) -> str:
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    return SimpleAuthManager.get_passwords()[name]
