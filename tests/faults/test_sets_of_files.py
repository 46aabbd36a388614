"""Deliveries of several files under faults: whoever trusts the manifest never sees a set that is not whole."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest

from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.errors import EndpointError, FatalEndpointError, RetriableEndpointError
from data_connections.ledger import Ledger
from fixtures.fault_proxy import FaultProxy
from fixtures.orders import report_of_orders
from fixtures.outbound import Outbound
from local_stack.partner_sftp import PartnerServer

DAY = date(2026, 6, 10)
BASE = "performance_2026-06-10"
PARTS = [f"{BASE}_part{number}of3.csv" for number in (1, 2, 3)]
SET = sorted([*PARTS, f"{BASE}.manifest"])


@pytest.fixture
def outbound(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> Outbound:
    """A connection whose report has three files and a manifest."""
    made = Outbound.of(ledger, tmp_path, sftp_partner)
    made.reports = report_of_orders(tmp_path / "include", [2] * 6, filler=1)
    made.applied(packaging={"rows_per_file": 4, "manifest": True})
    return made


def checked(outbound: Outbound) -> int:
    return int(outbound.check(outbound.export(DAY)["delivery_id"])["delivery_id"])


def listed(manifest: str) -> list[tuple[str, str]]:
    """Name and SHA-256 of each file that a manifest lists."""
    sections = [dict(line.split(": ", 1) for line in part.splitlines()) for part in manifest.split("\n\n")]
    return [(section["Name"], section["SHA-256-Digest"]) for section in sections[1:]]


def broken_promises(folder: Path) -> list[str]:
    """What a manifest that stands in the folder says and is not so; the manifest is looked at before and after."""
    path = folder / f"{BASE}.manifest"
    with suppress(FileNotFoundError):
        before = path.stat()
        broken = []
        for name, digest in listed(path.read_text()):
            file = folder / name
            if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                broken.append(name)
        after = path.stat()
        return broken if (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns) else []
    return []


def assert_whole(outbound: Outbound, delivery_id: int) -> None:
    assert outbound.state(delivery_id) == "delivered"
    assert outbound.names() == SET
    assert [name for name, _ in listed((outbound.out / f"{BASE}.manifest").read_text())] == PARTS
    assert broken_promises(outbound.out) == []


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    found: list[str] = []
    looks = [0]
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            found.extend(broken_promises(folder))
            looks[0] += 1

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()
    assert looks[0]


@pytest.mark.parametrize("after", [5_000, 7_000, 7_400, 7_800, 8_200, 8_600])
def test_a_connection_that_is_cut_anywhere_never_leaves_a_manifest_of_a_torn_set(
    outbound: Outbound, tmp_path: Path, fault_proxy: Callable[[int], FaultProxy], after: int
) -> None:
    outbound.all_steps(DAY)
    outbound.reports = report_of_orders(tmp_path / "include", [2] * 6, filler=2)
    delivery = checked(outbound)
    proxy = fault_proxy(outbound.partner.port)
    proxy.set("cut", after=after, times=1)
    outbound.port = proxy.port
    with watched(outbound.out) as broken, suppress(EndpointError):
        outbound.deliver(delivery)
    assert broken + broken_promises(outbound.out) == []
    outbound.deliver(delivery)
    assert_whole(outbound, delivery)


class Faulty:
    """An endpoint of which one rename fails, before or after it was done."""

    def __init__(self, endpoint: BlockingEndpoint, name: str, error: EndpointError, *, done: bool) -> None:
        self._endpoint = endpoint
        self._name, self._error, self._done = name, error, done

    def __getattr__(self, name: str) -> object:
        return getattr(self._endpoint, name)

    def move(self, old: str, new: str, *, replace: bool = False) -> None:
        failing = new.endswith(self._name)
        if not failing or self._done:
            self._endpoint.move(old, new, replace=replace)
        if failing:
            raise self._error


def deliver_with(outbound: Outbound, delivery: int, name: str, error: EndpointError, *, done: bool) -> None:
    right = outbound.endpoint

    @contextmanager
    def faulty() -> Iterator[Faulty]:
        with right()() as endpoint:
            yield Faulty(endpoint, name, error, done=done)

    outbound.endpoint = lambda: faulty  # type: ignore[assignment,method-assign,return-value]
    try:
        outbound.deliver(delivery)
    finally:
        outbound.endpoint = right  # type: ignore[method-assign]


@pytest.mark.parametrize("error", [RetriableEndpointError("busy"), FatalEndpointError("no rights")])
@pytest.mark.parametrize("done", [False, True], ids=["not-renamed", "renamed-without-answer"])
@pytest.mark.parametrize("name", PARTS)
def test_a_set_whose_rename_fails_is_taken_back_whole(
    outbound: Outbound, name: str, done: bool, error: EndpointError
) -> None:
    delivery = checked(outbound)
    with pytest.raises(type(error)):
        deliver_with(outbound, delivery, name, error, done=done)
    assert outbound.names() == []
    outbound.deliver(delivery)
    assert_whole(outbound, delivery)


def test_a_last_rename_without_an_answer_that_was_done_is_no_failure(outbound: Outbound) -> None:
    delivery = checked(outbound)
    deliver_with(outbound, delivery, ".manifest", RetriableEndpointError("no answer"), done=True)
    assert_whole(outbound, delivery)


def test_a_manifest_that_cannot_be_put_takes_its_files_back(outbound: Outbound) -> None:
    delivery = checked(outbound)
    with pytest.raises(FatalEndpointError):
        deliver_with(outbound, delivery, ".manifest", FatalEndpointError("no rights"), done=False)
    assert outbound.names() == []


def forget_that_it_arrived(outbound: Outbound, delivery_id: int) -> None:
    outbound.ledger.all(
        "update delivery set state = 'sending', delivered_at = null where id = %s returning 1", [delivery_id]
    )


def test_a_sender_that_died_between_two_renames_is_finished_by_the_next(outbound: Outbound) -> None:
    delivery = checked(outbound)
    outbound.deliver(delivery)
    (outbound.out / f"{BASE}.manifest").unlink()
    (outbound.out / PARTS[2]).unlink()
    forget_that_it_arrived(outbound, delivery)
    before = (outbound.out / PARTS[0]).stat()
    outbound.deliver(delivery)
    assert (outbound.out / PARTS[0]).stat().st_ino == before.st_ino, "what stands is not sent again"
    assert_whole(outbound, delivery)


def test_what_a_killed_sender_left_under_temporary_names_goes_away(outbound: Outbound) -> None:
    outbound.all_steps(DAY)
    delivery = checked(outbound)
    with pytest.raises(FatalEndpointError):
        deliver_with(outbound, delivery, PARTS[0], FatalEndpointError("no rights"), done=False)
    row = outbound.ledger.one("select trace_id from delivery where id = %s", [delivery])
    for name in SET:
        (outbound.out / f".{name}.{row['trace_id'].hex}.part").write_text("half a fi")
    outbound.deliver(delivery)
    assert_whole(outbound, delivery)


def test_a_file_that_was_taken_away_comes_again_before_what_vouches_for_it(outbound: Outbound) -> None:
    delivery = checked(outbound)
    outbound.deliver(delivery)
    (outbound.out / PARTS[1]).unlink()
    forget_that_it_arrived(outbound, delivery)
    with watched(outbound.out):
        outbound.deliver(delivery)
    assert_whole(outbound, delivery)
    times = [(outbound.out / name).stat().st_ctime_ns for name in (PARTS[1], f"{BASE}.manifest")]
    assert times == sorted(times)


def test_a_set_that_stands_is_not_sent_again(outbound: Outbound) -> None:
    delivery = checked(outbound)
    outbound.deliver(delivery)
    before = {name: (outbound.out / name).stat().st_ino for name in SET}
    forget_that_it_arrived(outbound, delivery)
    outbound.deliver(delivery)
    assert {name: (outbound.out / name).stat().st_ino for name in SET} == before
    assert_whole(outbound, delivery)
