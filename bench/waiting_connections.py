"""A thousand connections that wait on twenty hosts, in one triggerer of Airflow, against one login for every look."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from bench.apply_conversions import bench_folder
from bench.pairing import Result, Tell
from bench.transfer_servers import Serving, openssh, vsftpd
from data_connections.ledger import Ledger
from data_connections.postgres import EmbeddedPostgres
from data_connections.settings import PROJECT, Settings
from local_stack.airflow_environment import airflow_environment, stack_folder
from local_stack.databases import Databases, migrate_databases

CONNECTIONS = 1_000
SFTP_HOSTS = 15
"""As many addresses as one OpenSSH server listens on, beside 127.0.0.1."""
FTPS_HOSTS = 5
LOOK_EVERY = 60
MEASURED = 60.0
"""Seconds that are measured: one look of every connection."""

MOST_CORE = 0.5
MOST_MEGABYTES = 500
OURS = "triggers.files.FilesTrigger"
PEER = "bench.peers.login_per_look.LoginPerLook"
_PATIENCE = 300.0
_SPEC = """
program: acme
data_type: conversions
direction: inbound
method: {method}
credentials: {credentials}
details: {{host: {host}, port: {port}, folder: {folder}, file_pattern: "*.csv"}}
arrival: {{wait: PT12H, look_every: {every}}}
"""


@dataclass(frozen=True)
class Host:
    """A partner's host: its address, what serves there, and the login."""

    method: str
    address: str
    serving: Serving
    login: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of its credentials."""
        return f"{self.method}-{self.address.replace('.', '-')}"

    def folder(self, number: int) -> str:
        """Make the folder of one connection, and return how it is called there."""
        name = f"{self.name}-{number}"
        (self.serving.files / name).mkdir()
        return name


@dataclass(frozen=True)
class Spent:
    """What a triggerer used.

    Attributes:
        cores: CPU seconds a second, of the triggerer with the process that runs the triggers.
        looking: The same, of that process alone.
        megabytes: Memory of both at the end (proportional set size).
    """

    cores: float
    looking: float
    megabytes: float


def waiting_connections(tell: Tell) -> Result:
    """Compare the CPU of the process that runs the triggers; beyond that, total CPU and memory have limits."""
    os.environ["CONNECTIONS_ALLOW_ADDRESSES"] = "127.0.0.0/8"
    with _hosts() as hosts, tempfile.TemporaryDirectory(dir=bench_folder()) as name:
        _write(Path(name), hosts)
        spent = {}
        for trigger in (OURS, PEER):
            spent[trigger] = _measured(Path(name), trigger, hosts)
            used = spent[trigger]
            tell(
                f"{trigger}: {used.cores:.3f} of a core ({used.looking:.3f} where the triggers run), "
                f"{used.megabytes:.0f} MB"
            )
    ours, peer = spent[OURS], spent[PEER]
    within = ours.cores < MOST_CORE and ours.megabytes < MOST_MEGABYTES
    return Result(
        "waiting_connections",
        "cores",
        ours.looking,
        peer.looking,
        "one login for every look",
        peer.looking / ours.looking if within else 0.0,
        3.0,
        {
            "connections": CONNECTIONS,
            "hosts": {"OpenSSH": SFTP_HOSTS, "vsftpd (FTPS)": FTPS_HOSTS},
            "seconds_between_looks": LOOK_EVERY,
            "seconds_measured": MEASURED,
            "triggerer": "airflow triggerer, with a metadata database and a deferred run of every connection",
            "ours": vars(ours),
            "peer": vars(peer),
            "most_cores": MOST_CORE,
            "most_megabytes": MOST_MEGABYTES,
        },
    )


@contextmanager
def _hosts() -> Iterator[list[Host]]:
    addresses = [f"127.0.1.{number + 1}" for number in range(SFTP_HOSTS + FTPS_HOSTS)]
    with ExitStack() as stack:
        ssh = stack.enter_context(openssh(*addresses[:SFTP_HOSTS]))
        key, host_key = (ssh.own / "login").read_text(), " ".join((ssh.own / "host.pub").read_text().split()[:2])
        login = {"login": getpass.getuser(), "private_key": key, "host_keys": [host_key], "kind": "sftp"}
        hosts = [Host("sftp", address, ssh, login) for address in addresses[:SFTP_HOSTS]]
        for address in addresses[SFTP_HOSTS:]:
            ftp = stack.enter_context(vsftpd(address))
            authority = (ftp.own / "cert.pem").read_text()
            login = {"login": "ftp", "password": "bench", "authorities": authority, "kind": "ftp"}
            hosts.append(Host("ftp", address, ftp, login))
        yield hosts


def _write(folder: Path, hosts: list[Host]) -> None:
    """Write the specs and the credentials of all connections."""
    (folder / "specs").mkdir()
    for number in range(CONNECTIONS):
        host = hosts[number % len(hosts)]
        spec = _SPEC.format(
            method=host.method,
            credentials=host.name,
            host=host.address,
            port=host.serving.port,
            folder=host.folder(number),
            every=LOOK_EVERY,
        )
        (folder / "specs" / f"waiting-{number:04}.yaml").write_text(spec, encoding="utf-8")
    (folder / "credentials.json").write_text(json.dumps({host.name: dict(host.login) for host in hosts}))


def _measured(folder: Path, trigger: str, hosts: list[Host]) -> Spent:
    home = folder / trigger.rpartition(".")[2]
    server = EmbeddedPostgres(home / "postgres").ensure_running()
    try:
        environment = _installation(home, server, folder)
        command = [sys.executable, "-m", "bench.deferred_runs", str(folder / "credentials.json"), trigger]
        _run(command, environment)
        ledger = Ledger(environment["CONNECTIONS_DATABASE_URL"])
        with _triggerer(home, environment) as process:
            _until(ledger, "select count(*) as n from connection_run")
            time.sleep(LOOK_EVERY + 15)
            before = _logins(hosts)
            spent = _watched(process)
            logins = _logins(hosts) - before
            for each in (*process.children(), process):
                each.kill()
        looks = CONNECTIONS * SFTP_HOSTS / len(hosts) * MEASURED / LOOK_EVERY
        expected = looks if trigger == PEER else 0
        if not 0.8 * expected <= logins <= 1.2 * expected:
            raise AssertionError(f"{logins} logins were seen in the time measured, expected {expected:.0f}.")
        if trigger == OURS:
            _verify_restart(home, environment, ledger, hosts)
        return spent
    finally:
        server.stop()


def _installation(home: Path, server: EmbeddedPostgres, folder: Path) -> dict[str, str]:
    """Make ledger and metadata database, apply the connections, and return the environment of Airflow's processes."""
    for name in ("ledger", "airflow"):
        server.ensure_database(name)
    databases = Databases(
        server.url("ledger"), server.url("airflow").replace("postgresql://", "postgresql+psycopg2://")
    )
    settings = replace(Settings.from_environment({"CONNECTIONS_HOME": str(home)}), database_url=databases.ledger)
    stack_folder(settings).mkdir(parents=True, exist_ok=True)
    environment = airflow_environment(settings, port=1, ledger_url=databases.ledger, metadata_url=databases.metadata)
    environment |= {
        "AIRFLOW__TRIGGERER__CAPACITY": str(CONNECTIONS),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), environment["PYTHONPATH"]]),
    }
    migrate_databases(settings, databases, environment)
    for words in (("reference", "apply"), ("apply", "-f", str(folder / "specs"))):
        _run([sys.executable, "-m", "command_line.main", *words], environment)
    return environment


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} failed: {(done.stdout + done.stderr)[-2000:]}")


@contextmanager
def _triggerer(home: Path, environment: dict[str, str]) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
    with (home / "triggerer.log").open("w") as log:
        started = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait(10)


def _until(ledger: Ledger, query: str) -> None:
    """Wait until a count has reached the number of connections."""
    end = time.monotonic() + _PATIENCE
    while (found := ledger.one(query)) is None or found["n"] < CONNECTIONS:
        if time.monotonic() > end:
            raise AssertionError(f"{query}: {found}, expected {CONNECTIONS}")
        time.sleep(1)


def _watched(triggerer: psutil.Process) -> Spent:
    [runner] = triggerer.children()
    before, began = [_cpu(each) for each in (triggerer, runner)], time.monotonic()
    time.sleep(MEASURED)
    after, seconds = [_cpu(each) for each in (triggerer, runner)], time.monotonic() - began
    whole, looking = ((later - earlier) / seconds for earlier, later in zip(before, after, strict=True))
    memory = sum(each.memory_full_info().pss for each in (triggerer, runner))
    return Spent(whole + looking, looking, memory / 1024**2)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _logins(hosts: list[Host]) -> int:
    """Return how many logins the SFTP servers have seen."""
    return sum(host.serving.log.read_text().count("Accepted publickey") for host in hosts[:1])


def _verify_restart(home: Path, environment: dict[str, str], ledger: Ledger, hosts: list[Host]) -> None:
    """Put a file into each folder: another triggerer, after the first was killed, has to claim them all."""
    files = [each / "orders.csv" for host in hosts for each in host.serving.files.glob(f"{host.name}-*")]
    for file in files:
        file.write_text("OrderId\n1\n")
    with _triggerer(home, environment):
        _until(ledger, "select count(*) as n from submission")
    for file in files:
        file.unlink()
