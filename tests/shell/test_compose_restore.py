"""The guide's backup and restore, through the services of docker-compose.yaml."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from data_connections.settings import PROJECT
from fixtures.compose import POSTGRES, ComposeProcesses, prepared
from fixtures.compose_talk import SPEC, booked, connections, folders, ledger, orders


@pytest.mark.production
@pytest.mark.timeout(900)
def test_the_guides_backup_is_restored_into_an_empty_installation(tmp_path: Path) -> None:
    """Files that came after the dump are in the landing area alone: they are submitted again, and booked once."""
    backup, restore = guide_blocks("## Backup and restore")
    dumps = [command for command in backup if "pg_dump" in command]
    totals = "select count(*), sum(amount) from action"
    spec = SPEC.format(port=22).replace("credentials: partner", "credentials: orders")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "orders.yaml").write_text(spec)
    for name in ("Before", "After"):
        (tmp_path / f"{name}.csv").write_text(orders(name, 4))
    with folders() as (home, database), prepared(home, database) as first:
        connections(first, "reference", "apply")
        connections(first, "credentials", "set", "orders", "--login", "us", "--password-env", "PW", PW="hush hush")
        connections(first, "apply", "-f", tmp_path / "specs")
        connections(first, "submit", "orders", tmp_path / "Before.csv")
        for command in dumps:
            follow(first, command, tmp_path)
        connections(first, "submit", "orders", tmp_path / "After.csv")
        for command in backup[len(dumps) :]:
            follow(first, command, tmp_path)
        before = ledger(first, totals)

    with folders() as (home, database):
        restored = ComposeProcesses(home, database)
        try:
            for command in restore:
                follow(restored, command, tmp_path)
            assert before == ledger(restored, totals) == [(8, 12)]
            assert (booked(restored, "Before"), booked(restored, "After")) == ((4, 6), (4, 6))
            stored = restored.run("prepare", "airflow", "connections", "get", "orders", "--output", "json").stdout
            assert '"hush hush"' in stored
            found = findings(restored)
            assert {found[name]["state"] for name in ("recovery", "landing area", "reports")} == {"good"}

            # A landing area that is older than the ledger lacks originals, and the doctor says so.
            for original in (home / "landing" / "originals").glob("*/*"):
                original.unlink()
            lost = findings(restored)["landing area"]
            assert (lost["state"], "restore it from a backup" in lost["text"]) == ("bad", True)
        finally:
            restored.stop()


def findings(compose: ComposeProcesses) -> dict[str, dict[str, str]]:
    """What the doctor says of an installation whose Airflow does not run yet, by what was looked at."""
    found = json.loads(connections(compose, "doctor", "--no-endpoints", "--json", code=1))
    return {each["check"]: each for each in found["findings"]}


def guide_blocks(heading: str) -> list[list[str]]:
    """The commands of the guide under a heading, block by block."""
    part = (PROJECT / "docs" / "deploying.md").read_text().partition(f"{heading}\n")[2].partition("\n## ")[0]
    return [block.strip().splitlines() for block in re.findall(r"```\n(.*?)```", part, re.DOTALL)]


def follow(compose: ComposeProcesses, command: str, folder: Path) -> None:
    """Do what one of the guide's `docker compose` commands does, with its files in ``folder``."""
    words = shlex.split(command)
    into = folder / words.pop() if words[-2:-1] == [">"] else None
    source = folder / words.pop() if words[-2:-1] == ["<"] else None
    if into or source:
        words.pop()
    assert words[:2] == ["docker", "compose"], command
    kind, *rest = words[2:]
    rest = [word for word in rest if word not in ("--rm", "--no-deps", "-T", "--detach", "--wait")]
    if kind == "up":
        bring_up(compose, rest)
        return
    service, *program = rest
    variables = compose.environment(service)
    if service == "postgres":
        password = Path(variables["POSTGRES_PASSWORD_FILE"]).read_text()
        variables |= {"PGHOST": "127.0.0.1", "PGPORT": str(compose.ports["pg"]), "PGPASSWORD": password}
        program = [str(POSTGRES / program[0]), *program[1:]]
    program = [compose.text(word) for word in program] or compose.command(service)
    with (into or Path("/dev/null")).open("wb") as output, (source or Path("/dev/null")).open("rb") as given:
        done = subprocess.run(program, env=variables, stdin=given, stdout=output, stderr=subprocess.PIPE, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"


def bring_up(compose: ComposeProcesses, names: list[str]) -> None:
    """Start the databases as `docker compose up` does; Airflow's services are left out."""
    if "postgres" in names:
        compose.start_postgres()
    if "redis" in names:
        compose.start("redis", "--port", str(compose.ports["redis"]), "--bind", "127.0.0.1")
        compose.until_healthy("redis")
