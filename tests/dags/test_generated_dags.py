from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dag_factory.shards import write_generators
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from fixtures.catalog import INBOUND, OUTBOUND, Apply, changed

DAGS = PROJECT / "dags"
Parse = Callable[..., dict[str, Any]]
PARSE = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
heavy = ("great_expectations", "pandas", "pyarrow", "asyncssh", "scipy", "airflow.providers.sftp.hooks.sftp")

def parse(folder):
    from data_connections.catalog import snapshot
    snapshot.TIMEOUT = 60.0  # a busy machine is no outage
    bag = DagBag(dag_folder=folder, bundle_name="testing")
    return {
        "errors": {name.rsplit("/", 1)[-1]: text for name, text in bag.import_errors.items()},
        "hashes": {name: SerializedDagModel.hash(DagSerialization.to_dict(dag)) for name, dag in bag.dags.items()},
        "dags": {
            name: json.loads(json.dumps(DagSerialization.to_dict(dag)["dag"], default=str))
            for name, dag in bag.dags.items()
        },
        "files": [dag.fileloc.rpartition("/")[2] for dag in bag.dags.values()],
        "heavy": [name for name in heavy if name in sys.modules],
    }

for line in sys.stdin:
    asked = json.loads(line)
    if (child := os.fork()) == 0:
        os.environ.clear()
        os.environ.update(asked["environment"])
        print("RESULT" + json.dumps(parse(asked["folder"])), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("RESULTnull", flush=True)
"""


class Processor:
    """Parses the DAG folder as Airflow's DAG processor does: in a child for each time, forked off one warm process."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PARSE],
            env={**os.environ, "PYTHONHASHSEED": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def parse(self, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "environment": environment}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("RESULT"):
                found = json.loads(line.removeprefix("RESULT"))
                assert found is not None, "the parse failed; its traceback stands in standard error"
                return dict(found)
        pytest.fail("the DAG processor ended")

    def end(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def processor() -> Iterator[Processor]:
    """The processor of this module's tests."""
    running = Processor()
    yield running
    running.end()


@pytest.fixture
def parse(processor: Processor) -> Parse:
    """Parses a DAG folder, with other variables where they are given, as for starting a task of one DAG or for all."""

    def run(
        dag_id: str | None = None, folder: Path = DAGS, by: Processor = processor, **environment: str
    ) -> dict[str, Any]:
        if dag_id:
            environment |= {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": dag_id, "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "fetch"}
        return by.parse(folder, {**os.environ, **environment})

    return run


@pytest.fixture(autouse=True)
def _installation(home: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", ledger_url)


def of_connections(parsed: dict[str, Any]) -> list[str]:
    return sorted(name for name in parsed["dags"] if not name.startswith("connections_"))


def refuse_current(ledger: Ledger, name: str) -> None:
    """Store a newest revision that this version of Connections does not accept, as a later version may leave one."""
    with ledger.connect() as connection:
        connection.execute(
            """
            insert into connection_revision (connection_id, number, spec, hash, created_by)
            select id, revision + 1, '{"direction": "inbound", "method": "carrier pigeon"}', 'x', 'tests'
            from connection where name = %s
            """,
            [name],
        )
        connection.execute("update connection set revision = revision + 1 where name = %s", [name])


def test_every_connection_has_one_dag_and_parsing_is_light(apply: Apply, parse: Parse) -> None:
    apply(INBOUND, OUTBOUND, changed(INBOUND, name="second", paused=True))
    parsed = parse()
    assert parsed["errors"] == {}
    assert of_connections(parsed) == ["acme-conversions", "acme-performance", "second"]
    assert parsed["heavy"] == []
    looks = {each["__var"]["task_id"]: each["__var"] for each in parsed["dags"]["connections_endpoints"]["tasks"]}
    assert sorted(looks) == ["forget_looks", "look_at.sftp-127.0.0.1-22"]
    look = looks["look_at.sftp-127.0.0.1-22"]
    assert (look["pool"], look["connections"]) == ("sftp-127.0.0.1-22", ["acme-conversions", "acme-performance"])


def test_shards_share_the_connections_and_lose_none(apply: Apply, tmp_path: Path, parse: Parse) -> None:
    names = [f"connection-{number}" for number in range(6)]
    apply(*(changed(INBOUND, name=name) for name in names))
    (tmp_path / "connections.py").write_text((DAGS / "connections.py").read_text())
    written = write_generators(tmp_path, 3)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
    parsed = parse(folder=tmp_path)
    assert (parsed["errors"], sorted(parsed["dags"])) == ({}, names)
    assert max(parsed["files"].count(path.name) for path in written) < len(names)
    assert list(parse(dag_id=names[0], folder=tmp_path)["dags"]) == [names[0]]

    assert write_generators(tmp_path, 1) == [tmp_path / "connections.py"]
    assert [path.name for path in tmp_path.glob("*.py")] == ["connections.py"]
    assert (tmp_path / "connections.py").read_text() == (DAGS / "connections.py").read_text()
    with pytest.raises(ConfigurationError, match="from 1 to 64"):
        write_generators(tmp_path, 0)


def test_the_generator_file_is_short() -> None:
    assert len((DAGS / "connections.py").read_text().splitlines()) <= 25


def test_the_plugin_loads_slow_libraries_where_tasks_are_forked_and_starts_no_threads() -> None:
    load = (
        "import sys, threading; from connections_plugin import ConnectionsPlugin; ConnectionsPlugin.on_load();"
        "print(threading.active_count(), *(name in sys.modules for name in ('pandas', 'great_expectations')))"
    )
    environment = {**os.environ, "CONNECTIONS_PRELOAD": "1"}
    with_preload = subprocess.run([sys.executable, "-c", load], env=environment, capture_output=True, text=True)
    without = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True)
    assert with_preload.stdout.splitlines()[-1] == "1 True True"
    assert without.stdout.splitlines()[-1] == "1 False False"


def test_an_inbound_dag_says_what_it_is(apply: Apply, parse: Parse) -> None:
    apply(INBOUND)
    dag = parse()["dags"]["acme-conversions"]
    tasks = {task["__var"]["task_id"]: task["__var"] for task in dag["tasks"]}
    assert dag["dag_display_name"] == "Acme conversions"
    assert dag["tags"] == ["acme", "conversions", "inbound", "sftp"]
    assert dag["timetable"]["__type"].endswith("CronDataIntervalTimetable")
    assert dag["timetable"]["__var"] == {"expression": "30 6 * * *", "timezone": "Europe/Berlin"}
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False
    for said in ("sftp://127.0.0.1:22/in", "At 06:30", "Europe/Berlin", "data-team", "us@example.test", "*.csv"):
        assert said in dag["doc_md"]
    assert {name: set(task.get("downstream_task_ids", [])) for name, task in tasks.items()} == {
        "wait_for_files": {"fetch", "validate", "apply_modifications", "acknowledge"},
        "fetch": {"validate"},
        "validate": {"apply_modifications"},
        "apply_modifications": {"acknowledge"},
        "acknowledge": {"wrap_up"},
        "wrap_up": set(),
    }
    assert tasks["wait_for_files"]["start_from_trigger"] is True
    assert tasks["wait_for_files"]["spec"]["details"]["file_pattern"] == "*.csv"
    assert tasks["fetch"]["pool"] == tasks["acknowledge"]["pool"] == "sftp-127.0.0.1-22"
    assert {task["owner"] for task in tasks.values()} == {"data-team"}
    assert all(task["retries"] > 0 and task["retry_exponential_backoff"] for task in tasks.values())


def test_an_outbound_dag_says_what_it_is(apply: Apply, parse: Parse) -> None:
    apply(OUTBOUND)
    dag = parse()["dags"]["acme-performance"]
    assert [task["__var"]["task_id"] for task in dag["tasks"]] == ["export_report", "check_report", "deliver"]
    assert [name for name, _ in dag["params"]] == ["business_date"]
    assert "performance_{business_date:%Y-%m-%d}.csv" in dag["doc_md"]


def test_what_runs_read_and_write_are_assets(apply: Apply, parse: Parse) -> None:
    apply(INBOUND, OUTBOUND)
    dags = parse()["dags"]

    def of(dag: str, task: str, side: str) -> list[str]:
        [found] = [each["__var"] for each in dags[dag]["tasks"] if each["__var"]["task_id"] == task]
        return [asset["__var"]["uri"] for asset in found.get(side, [])]

    assert of("acme-conversions", "wait_for_files", "inlets") == ["sftp://127.0.0.1:22/in"]
    assert of("acme-conversions", "wrap_up", "outlets") == ["connections://ledger/acme/actions"]
    assert of("acme-performance", "export_report", "inlets") == ["connections://ledger/acme/actions"]
    assert of("acme-performance", "deliver", "outlets") == ["sftp://127.0.0.1:22/out"]


def test_a_revision_can_pause_and_resume_a_connection(apply: Apply, parse: Parse) -> None:
    timetables = []
    for paused in (False, True, False):
        apply(changed(INBOUND, paused=paused))
        dag = parse()["dags"]["acme-conversions"]
        assert dag["is_paused_upon_creation"] is False
        timetables.append(dag["timetable"]["__type"].rpartition(".")[2])
    assert timetables == ["CronDataIntervalTimetable", "NullTimetable", "CronDataIntervalTimetable"]


def test_an_unchanged_revision_makes_no_new_dag_version(apply: Apply, parse: Parse) -> None:
    roles = {"partners": ["view"], "managers": ["view", "run", "edit"]}
    apply(changed(INBOUND, access_control=roles, alerts={"email": ["us@example.test"]}), OUTBOUND)
    other = Processor(PYTHONHASHSEED="2")  # sets have another order there
    first, second = parse(), parse(by=other)
    other.end()
    assert first["hashes"] == second["hashes"]
    apply(changed(INBOUND, access_control=roles, details={"folder": "/elsewhere"}))
    third = parse()
    assert third["hashes"]["acme-performance"] == first["hashes"]["acme-performance"]
    assert third["hashes"]["acme-conversions"] != first["hashes"]["acme-conversions"]


def test_a_revision_that_cannot_be_built_keeps_its_last_dag_and_is_listed_once(
    apply: Apply, ledger: Ledger, parse: Parse
) -> None:
    apply(INBOUND, OUTBOUND, changed(INBOUND, name="never-built"))
    refuse_current(ledger, "never-built")
    parse()
    refuse_current(ledger, "acme-conversions")
    parse()
    parsed = parse()
    assert of_connections(parsed) == ["acme-conversions", "acme-performance"]
    assert list(parsed["errors"]) == ["refused_connections.py"]
    listed = parsed["errors"]["refused_connections.py"]
    assert "acme-conversions, revision 2" in listed
    assert "never-built, revision 2" in listed
    assert "acme-performance" not in listed


def test_without_the_ledger_the_dags_of_the_last_snapshot_stay(apply: Apply, parse: Parse) -> None:
    apply(INBOUND, OUTBOUND)
    before = parse()
    away = parse(CONNECTIONS_DATABASE_URL="postgresql://nobody@127.0.0.1:9/ledger")
    assert away["errors"] == {}
    assert away["hashes"] == before["hashes"]


def test_starting_a_task_builds_only_its_own_dag(apply: Apply, parse: Parse) -> None:
    apply(INBOUND, OUTBOUND)
    assert of_connections(parse(dag_id="acme-performance")) == ["acme-performance"]


@pytest.mark.parametrize("file", sorted(DAGS.glob("*.py")), ids=lambda file: file.name)
def test_airflow_takes_the_file_for_a_dag_file(file: Path) -> None:
    text = file.read_text().lower()
    assert "airflow" in text
    assert "dag" in text
