from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from data_connections.catalog import Plan, StoredSpec, all_current, current, load_for_generation, record_builds
from data_connections.catalog.snapshot import read_snapshot, snapshot_path, within
from data_connections.errors import LedgerUnavailable
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.spec import LoadedSpec

Make = Callable[..., LoadedSpec]
Apply = Callable[..., Plan]


@pytest.fixture
def settings(tmp_path: Path, ledger_url: str) -> Settings:
    return replace(Settings.from_environment({"CONNECTIONS_HOME": str(tmp_path)}), database_url=ledger_url)


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes connections and never answers, as a frozen PostgreSQL does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://postgres@127.0.0.1:{server.getsockname()[1]}/ledger"


def names(stored: list[StoredSpec]) -> list[str]:
    return [each.name for each in stored]


def test_the_ledger_is_read_and_the_snapshot_written(settings: Settings, make: Make, apply: Apply) -> None:
    apply(make("orders"), make("returns"))

    assert names(load_for_generation(settings)) == ["orders", "returns"]
    assert read_snapshot(snapshot_path(settings)) == all_current(Ledger(settings.database_url or ""))


@pytest.mark.parametrize("outage", ["refuses", "is silent", "has no tables"])
def test_an_outage_never_yields_fewer_connections(
    settings: Settings, make: Make, apply: Apply, outage: str, empty_database: str
) -> None:
    apply(make("orders"), make("returns"))
    before = load_for_generation(settings)

    with silent_server() as silent:
        url = {"refuses": "postgresql://postgres@127.0.0.1:1/ledger", "is silent": silent}.get(outage, empty_database)
        during = load_for_generation(replace(settings, database_url=url))

    assert during == before
    assert names(load_for_generation(replace(settings, database_url=url), "returns")) == ["returns"]


def test_without_ledger_and_snapshot_there_is_an_error_and_not_an_empty_catalog(settings: Settings) -> None:
    down = replace(settings, database_url="postgresql://postgres@127.0.0.1:1/ledger")

    with pytest.raises(LedgerUnavailable, match="no snapshot"):
        load_for_generation(down)


def test_an_embedded_ledger_that_does_not_run_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable):
        load_for_generation(Settings.from_environment({"CONNECTIONS_HOME": str(tmp_path)}))

    assert list(tmp_path.iterdir()) == []


def test_a_task_reads_its_own_connection_and_leaves_the_snapshot(settings: Settings, make: Make, apply: Apply) -> None:
    apply(make("orders"), make("returns"))

    assert names(load_for_generation(settings, "orders")) == ["orders"]
    assert load_for_generation(settings, "unknown") == []
    assert not snapshot_path(settings).exists()


def test_an_unchanged_snapshot_is_not_written_again(settings: Settings, make: Make, apply: Apply) -> None:
    apply(make("orders"))
    load_for_generation(settings)
    before = snapshot_path(settings).stat()

    load_for_generation(settings)

    after = snapshot_path(settings).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(settings.home.iterdir()) == [snapshot_path(settings)]
    assert stat.S_IMODE(before.st_mode) & 0o077 == 0


def test_a_revision_that_does_not_build_keeps_its_last_one_that_did(
    settings: Settings, make: Make, apply: Apply, ledger: Ledger
) -> None:
    apply(make("orders", owner="ada"))
    first = current(ledger, "orders")
    record_builds(ledger, {first.connection_id: 1}, {})
    apply(make("orders", owner="bob"))
    record_builds(ledger, {}, {first.connection_id: "It cannot be built."})

    (stored,) = load_for_generation(settings)

    assert (stored.number, stored.refusal, stored.built_revision) == (2, "It cannot be built.", 1)
    assert stored.last_built is not None
    assert (stored.last_built.number, stored.last_built.spec.owner) == (1, "ada")
    assert read_snapshot(snapshot_path(settings)) == [stored]


def test_a_new_revision_clears_the_refusal(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders", owner="ada"))
    connection_id = current(ledger, "orders").connection_id
    record_builds(ledger, {}, {connection_id: "It cannot be built."})

    apply(make("orders", owner="bob"))
    record_builds(ledger, {connection_id: 2}, {})

    stored = current(ledger, "orders")
    assert (stored.refusal, stored.built_revision, stored.last_built) == (None, 2, None)


def test_a_build_of_an_outdated_revision_is_not_noted(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders", owner="ada"))
    apply(make("orders", owner="bob"))

    record_builds(ledger, {current(ledger, "orders").connection_id: 1}, {})

    assert current(ledger, "orders").built_revision is None


def test_work_that_takes_too_long_is_left_behind() -> None:
    released = threading.Event()

    with pytest.raises(TimeoutError):
        within(0.05, released.wait)

    released.set()
    assert within(60, lambda: 42) == 42


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)
