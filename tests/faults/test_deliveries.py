"""Deliveries under faults: killed, cut off, forgotten, watched. A file appears whole, at least once, with its bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from data_connections.endpoints.blocking import open_endpoint
from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.errors import EndpointError
from data_connections.ledger import Ledger
from data_connections.reports import load_reports
from data_connections.steps.outbound import deliver
from fixtures.apart import Apart, send
from fixtures.books import Sale, book
from fixtures.fault_proxy import FaultProxy
from fixtures.outbound import BERLIN, Outbound
from fixtures.servers import OpenSsh
from local_stack.partner_sftp import PartnerServer

DAY = date(2026, 6, 10)
NAME = "performance_2026-06-10.csv"
LONG_REPORT = {
    "performance_by_day.yaml": "title: Long\ndate_basis: event\n"
    "columns: [{name: n, type: integer}, {name: filler}]\ncheck: {totals: [n]}\n",
    "performance_by_day.sql": "select n, repeat('x', 200) as filler from generate_series(1, 30000) as n "
    "where %(date_from)s::date <= %(date_to)s::date",
    "performance_by_day.check.sql": "select 30000 as rows, 450015000 as n "
    "where %(date_from)s::date <= %(date_to)s::date",
}


@pytest.fixture
def outbound(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> Outbound:
    """A connection whose report has 6 MB."""
    made = Outbound.of(ledger, tmp_path, sftp_partner)
    folder = tmp_path / "include" / "templates" / "reports"
    folder.mkdir(parents=True)
    for name, text in LONG_REPORT.items():
        (folder / name).write_text(text)
    made.reports = load_reports(tmp_path / "include")
    made.applied()
    return made


def checked(outbound: Outbound) -> int:
    return int(outbound.check(outbound.export(DAY)["delivery_id"])["delivery_id"])


def kept_bytes(outbound: Outbound, delivery_id: int) -> bytes:
    row = outbound.ledger.one("select landing_key from delivery_file where delivery_id = %s", [delivery_id])
    assert row is not None
    with outbound.landing.open(row["landing_key"]) as kept:
        return kept.read()


def assert_arrived(outbound: Outbound, delivery_id: int) -> None:
    assert outbound.state(delivery_id) == "delivered"
    assert outbound.names() == [NAME], "nothing but the file itself is left"
    assert (outbound.out / NAME).read_bytes() == kept_bytes(outbound, delivery_id)


def test_a_sender_that_is_killed_in_mid_upload_is_taken_up_by_the_next(
    outbound: Outbound, tmp_path: Path, fault_proxy: Callable[[int], FaultProxy]
) -> None:
    delivery = checked(outbound)
    proxy = fault_proxy(outbound.partner.port)
    proxy.set("freeze", after=6_000)
    login = outbound.partner.login
    where = (outbound.ledger.url, str(tmp_path / "landing"), proxy.port)
    process = Apart(send, *where, login.login, login.password, login.host_key, delivery)
    try:
        part = wait_for_part(outbound, process)
    finally:
        process.kill()
    assert outbound.state(delivery) == "sending"
    assert outbound.names() == [part]
    outbound.deliver(delivery)
    assert_arrived(outbound, delivery)


def wait_for_part(outbound: Outbound, process: Apart) -> str:
    """Wait until some of the file, and not all, lies under its temporary name; return that name."""
    end = time.monotonic() + 120
    while time.monotonic() < end and process.exit_code is None:
        for path in outbound.out.iterdir():
            if 0 < path.stat().st_size < 6_000_000:
                assert path.name != NAME
                return path.name
        time.sleep(0.02)
    raise AssertionError(f"no part of the file arrived (exit code {process.exit_code}: {process.said()})")


@pytest.mark.parametrize("after", [0, 500, 1_500, 2_500, 3_000, 3_500, 4_000, 5_000, 6_000, 7_000, 9_000])
@pytest.mark.parametrize("mode", ["cut", "fin"])
def test_a_connection_that_is_cut_anywhere_leaves_a_whole_file_or_none(
    outbound: Outbound, fault_proxy: Callable[[int], FaultProxy], mode: str, after: int
) -> None:
    delivery = checked(outbound)
    proxy = fault_proxy(outbound.partner.port)
    proxy.set(mode, after=after, times=1)  # type: ignore[arg-type]
    outbound.port = proxy.port
    with suppress(EndpointError):
        outbound.deliver(delivery)
    if NAME in outbound.names():
        assert (outbound.out / NAME).read_bytes() == kept_bytes(outbound, delivery)
    outbound.deliver(delivery)
    assert_arrived(outbound, delivery)


def forget_that_it_arrived(outbound: Outbound, delivery_id: int) -> None:
    """Put the ledger where it is when the sender dies between the rename and its record."""
    outbound.ledger.all(
        "update delivery set state = 'sending', delivered_at = null where id = %s returning 1", [delivery_id]
    )


def test_a_file_that_stands_is_not_sent_again(outbound: Outbound) -> None:
    delivery = checked(outbound)
    outbound.deliver(delivery)
    before = (outbound.out / NAME).stat()
    forget_that_it_arrived(outbound, delivery)
    outbound.deliver(delivery)
    after = (outbound.out / NAME).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert_arrived(outbound, delivery)


def test_a_file_that_the_receiver_took_away_before_it_was_recorded_is_sent_once_more(outbound: Outbound) -> None:
    delivery = checked(outbound)
    outbound.deliver(delivery)
    (outbound.out / NAME).unlink()
    forget_that_it_arrived(outbound, delivery)
    outbound.deliver(delivery)
    assert_arrived(outbound, delivery)


def test_a_file_of_equal_size_and_other_bytes_is_not_taken_for_it(outbound: Outbound) -> None:
    delivery = checked(outbound)
    outbound.deliver(delivery)
    forget_that_it_arrived(outbound, delivery)
    (outbound.out / NAME).write_bytes(b"y" * (outbound.out / NAME).stat().st_size)
    outbound.deliver(delivery)
    assert_arrived(outbound, delivery)


def test_with_versions_a_retry_keeps_its_own_name(outbound: Outbound) -> None:
    outbound.applied(details={"existing": "version"})
    delivery = checked(outbound)
    outbound.deliver(delivery)
    forget_that_it_arrived(outbound, delivery)
    outbound.deliver(delivery)
    assert_arrived(outbound, delivery)


@contextmanager
def watched(folder: Path, whole: list[bytes]) -> Iterator[list[str]]:
    """Read what is in ``folder`` all the time, as a partner does; yields what was seen and is none of ``whole``."""
    broken: list[str] = []
    looks = [0]
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            for path in folder.glob("[!.]*"):
                with suppress(FileNotFoundError):
                    found = path.read_bytes()
                    if found not in whole:
                        broken.append(f"{path.name}: {len(found)} bytes")
            looks[0] += 1

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield broken
    finally:
        stop.set()
        thread.join()
    assert looks[0] > 2


def test_whoever_looks_sees_whole_files_only(outbound: Outbound, tmp_path: Path) -> None:
    whole: list[bytes] = []
    with watched(outbound.out, whole) as broken:
        for number in range(3):
            query = tmp_path / "include" / "templates" / "reports" / "performance_by_day.sql"
            query.write_text(LONG_REPORT["performance_by_day.sql"].replace("'x'", f"'{number}'"))
            outbound.reports = load_reports(tmp_path / "include")
            delivery = checked(outbound)
            whole.append(kept_bytes(outbound, delivery))
            outbound.deliver(delivery)
    assert broken == []
    assert (outbound.out / NAME).read_bytes() == whole[2]


@pytest.mark.parametrize("existing", ["replace", "version"])
def test_openssh_takes_a_day_twice(
    ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer, openssh_server: OpenSsh, existing: str
) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    outbound.applied(details={"existing": existing, "folder": str(openssh_server.folder)})
    key = openssh_server.private_key.read_text()
    credentials = Credentials(openssh_server.user, private_key=key, host_keys=(openssh_server.host_key,))
    for amount in ("1.00", "2.00"):
        noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
        book(ledger, [Sale(BERLIN, noon, Decimal(amount))], first_order=int(Decimal(amount)))
        done = deliver(
            ledger,
            outbound.landing,
            lambda: open_endpoint(lambda: SftpEndpoint("127.0.0.1", openssh_server.port, credentials)),
            checked(outbound),
        )
        assert done["state"] == "delivered"
    expected = {"replace": [NAME], "version": [NAME, "performance_2026-06-10_v2.csv"]}[existing]
    assert sorted(path.name for path in openssh_server.folder.iterdir()) == expected
    assert b"3.00" in (openssh_server.folder / expected[-1]).read_bytes()
