"""Fixtures for every test: an installation of its own, a real database, real servers."""

from __future__ import annotations

import gc
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from fixtures.homes import new_home

pytest_plugins = [
    "fixtures.short_diffs",
    "fixtures.wedged",
    "fixtures.servers",
    "fixtures.ftp_servers",
    "fixtures.mail_servers",
    "fixtures.mail_catcher",
    "fixtures.databases",
    "fixtures.partner",
    "fixtures.hosting",
    "fixtures.name_server",
    "fixtures.fault_proxy",
    "fixtures.ftp_fault_proxy",
    "fixtures.sftp_line",
    "fixtures.catalog",
    "fixtures.desk",
    "fixtures.changes",
    "fixtures.sender",
    "fixtures.lost_replies",
    "fixtures.airflow_home",
    "fixtures.inbound_run",
    "fixtures.whole_stack",
    "fixtures.typed",
    "fixtures.browser",
]

# Airflow and Great Expectations read these when they are first imported, so they are set before any test module is.
_HOME = new_home("connections-test-")
os.environ.update(
    CONNECTIONS_HOME=str(_HOME),
    AIRFLOW_HOME=str(_HOME / "airflow"),
    CONNECTIONS_ALLOW_ADDRESSES="127.0.0.0/8",
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).parents[1] / "dags"),
    GX_ANALYTICS_ENABLED="False",
    TZ="UTC",
)
for name in ("CONNECTIONS_DATABASE_URL", "CONNECTIONS_LANDING_URL", "CONNECTIONS_INCLUDE", "CONNECTIONS_AIRFLOW_URL"):
    os.environ.pop(name, None)

# On a busy machine an example takes as long as it takes; pytest-timeout ends what hangs.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Plain sockets and asyncio's transports are left by servers of tests, too, whose threads end when they like.
_LEFT_OPEN = (
    "error::ResourceWarning",
    "error::pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed transport:ResourceWarning",
    "ignore:unclosed <socket.socket:ResourceWarning",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--debian-postgres",
        action="store_true",
        help="run the tests of the ledger on Debian's PostgreSQL 15 in place of the embedded one",
    )


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this hook, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share something on one worker, and begin with what takes long; mark the ledger's."""
    weights: dict[Path, int] = {}
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.ledger)
        heavy = next(filter(item.get_closest_marker, ("stack", "airflow")), None)
        item.add_marker(pytest.mark.xdist_group(heavy or str(item.path)))
        if item.path.parent.name == "endpoints":
            item.add_marker("closes_everything")
        if item.get_closest_marker("closes_everything"):
            item.add_marker(pytest.mark.filterwarnings(*_LEFT_OPEN))
        if heavy and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(900))
        weights[item.path] = max(weights.get(item.path, 0), _weight(item))
    # The longest first: what comes last leaves a worker without work.
    items.sort(key=lambda item: weights[item.path], reverse=True)


def _weight(item: pytest.Item) -> int:
    """How early a test has to begin so that both workers are busy to the end."""
    stack = item.get_closest_marker("stack")
    if stack:
        return 4 if stack.kwargs.get("ends") else 5
    if item.get_closest_marker("airflow"):
        return 3
    if "faults" in item.path.parts:
        return 2
    return 1 if item.get_closest_marker("ledger") else 0


@pytest.fixture(scope="module", autouse=True)
def _what_is_left_open_is_found_in_its_module(request: pytest.FixtureRequest) -> Iterator[None]:
    if not request.node.get_closest_marker("closes_everything"):
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.freeze()  # what other modules left is not found here
    yield
    gc.collect()
    gc.unfreeze()


def pytest_unconfigure() -> None:
    """Leave nothing of this test process, neither server nor files."""
    from data_connections.postgres import EmbeddedPostgres

    EmbeddedPostgres(_HOME / "postgres").stop()
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def session_home() -> Path:
    """The installation of this test process."""
    return _HOME


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation for one test alone: CONNECTIONS_HOME points to it, and a database in it is stopped."""
    from data_connections.postgres import EmbeddedPostgres

    folder = new_home("connections-home-")
    monkeypatch.setenv("CONNECTIONS_HOME", str(folder))
    monkeypatch.setenv("AIRFLOW_HOME", str(folder / "airflow"))
    yield folder
    EmbeddedPostgres(folder / "postgres").stop()
    shutil.rmtree(folder)
