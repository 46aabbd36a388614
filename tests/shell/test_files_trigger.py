from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from airflow.sdk.module_loading import import_string
from pyftpdlib.handlers import FTPHandler

from data_connections.endpoints.contract import RemoteFile
from data_connections.ledger import Ledger, runs
from data_connections.ledger.files_seen import files_seen
from data_connections.queries.not_taken import list_not_taken
from data_connections.queries.submissions import SubmissionFilter
from data_connections.steps import inbound
from data_connections.steps.pinned_run import begin_run
from fixtures.airflow_home import SetCredentials
from fixtures.catalog import INBOUND, Apply, changed
from fixtures.ftp_servers import PASSWORD, pyftpdlib
from fixtures.hosting import until
from local_stack.partner_sftp import PartnerServer
from triggers import arrivals
from triggers.arrivals import Lookout
from triggers.files import FilesTrigger

pytestmark = pytest.mark.usefixtures("airflow_ledger")


@pytest.fixture
def waits(apply: Apply, sftp_partner: PartnerServer, set_credentials: SetCredentials) -> Any:
    """Returns a coroutine function that runs the trigger of a connection and gives its event."""
    set_credentials()

    async def wait(seconds: float = 20, run_id: str = "manual__1", turn: str = "", **changes: Any) -> dict[str, Any]:
        apply(changed(changed(INBOUND, details={"port": sftp_partner.port}), **changes))
        now = datetime.now(UTC)
        trigger = FilesTrigger(
            connection="acme-conversions",
            revision=1,
            dag_run_id=run_id,
            started_at=now.isoformat(),
            due_at="",
            closes_at=(now + timedelta(seconds=seconds)).isoformat(),
            turn=turn,
        )
        classpath, arguments = trigger.serialize()
        wait.arguments = arguments  # type: ignore[attr-defined]
        again = import_string(classpath)(**arguments)
        event = await anext(again.run())
        return dict(event.payload)

    return wait


def claimed(ledger: Ledger) -> list[str]:
    return [row["file_name"] for row in ledger.all("select file_name from submission order by number")]


def finish(ledger: Ledger, dag_run_id: str) -> None:
    """Let a run end that has taken its files, and brought none of them to an end."""
    run = begin_run(ledger, "acme-conversions", 1, dag_run_id)
    inbound.lease(ledger, run)
    with ledger.connect() as connection:
        runs.finish(connection, run.id, failure="killed")


def sightings(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    rows = ledger.all("select name, decision, reason from sighting order by id")
    return {row["name"]: (row["decision"], row["reason"]) for row in rows}


async def test_a_settled_file_is_found_and_the_others_are_noted_with_their_reason(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    for name in ("a.csv", "notes.txt", "receipt_a.csv", "b.csv.part"):
        (sftp_partner.files / "in" / name).write_text("x")
    await waits()
    assert claimed(ledger) == ["a.csv"]
    assert sightings(ledger) == {
        "a.csv": ("claimed", None),
        "notes.txt": ("ignored", "pattern"),
        "receipt_a.csv": ("ignored", "reserved"),
        "b.csv.part": ("ignored", "temporary"),
    }
    run = ledger.one("select state, revision, dag_run_id from connection_run")
    assert run == {"state": "in_progress", "revision": 1, "dag_run_id": "manual__1"}


def test_a_file_that_grows_is_taken_when_it_rests(apply: Apply, ledger: Ledger) -> None:
    apply(INBOUND)
    lookout = Lookout(ledger, begin_run(ledger, "acme-conversions", 1, "manual__1"))
    at = datetime(2026, 1, 1, tzinfo=UTC)

    def look(size: int) -> tuple[int, int, str | None]:
        found = lookout.judge([RemoteFile("/in/slow.csv", "slow.csv", size, at)])
        reason = ledger.all("select reason from sighting order by id")[-1]["reason"]
        return len(found.files), found.waiting, reason

    assert look(5) == (0, 1, "first_look")
    assert look(9) == (0, 1, "changing")
    assert look(12) == (0, 1, "changing")
    assert look(12) == (1, 0, "changing")


async def test_what_is_left_stands_in_file_submissions_with_no_records_and_why(
    waits: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_growing = True

    def growing(self: FTPHandler, path: str) -> str | None:
        if is_growing:
            with (Path(path) / "growing.csv").open("a") as file:
                file.write("x")
        return FTPHandler.ftp_MLSD(self, path)

    with pyftpdlib(ftp_MLSD=growing) as server:
        login = {"conn_type": "ftp", "login": server.login, "password": PASSWORD}
        monkeypatch.setitem(os.environ, "AIRFLOW_CONN_ACME-SFTP", json.dumps(login))
        (server.folder / "in").mkdir()
        for name in ("notes.xml.gz", "contract.pdf", "result_a.csv", "later.csv.part", "draft.csv", "growing.csv"):
            (server.folder / "in" / name).write_text("x")
        details = {"port": server.port, "certificate": [server.tls.fingerprint], "exclude": ["draft*"]}
        assert (await waits(seconds=0, method="ftp", details=details))["waiting"] == 1
        assert files_left(ledger) == {
            "contract.pdf": "extension",
            "draft.csv": "excluded",
            "growing.csv": "changing",
            "later.csv.part": "temporary",
            "notes.xml.gz": "pattern",
            "result_a.csv": "reserved",
        }
        is_growing = False
        finish(ledger, "manual__1")
        await waits(run_id="manual__2", method="ftp", details=details)
    assert claimed(ledger) == ["growing.csv"]
    assert "growing.csv" not in files_left(ledger)


def files_left(ledger: Ledger) -> dict[str, str]:
    """What the command line and the screen show of files that were not taken; both have to agree."""
    with ledger.connect() as connection:
        listed = files_seen(connection, states=["not_taken"])
        shown = list_not_taken(connection, None, SubmissionFilter(size=100))
        assert not [each for each in listed if each["rows"] or each["state"] != "not_taken"]
        for each in listed:
            (found,) = files_seen(connection, find=each["file_name"])
            assert found["code"] == each["code"]
    reasons = {each["file_name"]: each["code"] for each in listed}
    assert {each["file_name"]: each["reason"] for each in shown} == reasons
    return reasons


async def test_the_window_ends_without_a_file(waits: Any, ledger: Ledger) -> None:
    event = await waits(seconds=0.5)
    assert claimed(ledger) == []
    assert event["more"] == 0


async def test_a_window_that_is_over_still_looks_twice(waits: Any, sftp_partner: PartnerServer, ledger: Ledger) -> None:
    (sftp_partner.files / "in" / "late.csv").write_text("x")
    await waits(seconds=-60)
    assert claimed(ledger) == ["late.csv"]


async def test_files_that_were_claimed_before_are_left_alone(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    old = sftp_partner.files / "in" / "old.csv"
    old.write_text("x")
    await waits()
    finish(ledger, "manual__1")
    await waits(seconds=0.5, run_id="manual__2")
    assert claimed(ledger) == ["old.csv"]
    os.utime(old, (1_700_000_000, 1_700_000_000))
    (sftp_partner.files / "in" / "new.csv").write_text("y")
    await waits(run_id="manual__3")
    assert claimed(ledger) == ["old.csv", "old.csv", "new.csv"]


async def test_a_backfill_takes_the_files_of_its_days_alone_and_waits_for_nobody(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    for name, day in {"before.csv": 4, "that-day.csv": 5, "after.csv": 6}.items():
        path = sftp_partner.files / "in" / name
        path.write_text("x")
        arrived = datetime(2026, 10, day, 21, 30, tzinfo=UTC).timestamp()
        os.utime(path, (arrived, arrived))
    turn = datetime(2026, 10, 5, 4, 30, tzinfo=UTC).isoformat()
    event = await waits(seconds=600, turn=turn)
    assert claimed(ledger) == ["that-day.csv"]
    assert event["days"] == ["2026-10-05", "2026-10-05"]
    finish(ledger, "manual__1")
    nothing = await waits(seconds=600, turn=datetime(2026, 10, 8, 4, 30, tzinfo=UTC).isoformat(), run_id="manual__2")
    assert (claimed(ledger), nothing["waiting"]) == (["that-day.csv"], 0)


async def test_all_files_are_claimed_at_once_and_each_run_takes_as_many_as_it_may(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    for number in range(5):
        path = sftp_partner.files / "in" / f"{number}.csv"
        path.write_text("x")
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    event = await waits(limits={"files_per_run": 3})
    assert claimed(ledger) == ["0.csv", "1.csv", "2.csv", "3.csv", "4.csv"]
    assert event["more"] == 0
    first = begin_run(ledger, "acme-conversions", 1, "manual__1")
    leased = inbound.lease(ledger, first)
    assert ([each.file_name for each in leased.submissions], leased.new, leased.more) == (
        ["0.csv", "1.csv", "2.csv"],
        3,
        2,
    )
    assert inbound.lease(ledger, first) == leased
    assert await follow_up() is not None
    leased = inbound.lease(ledger, begin_run(ledger, "acme-conversions", 1, "follow-up"))
    assert ([each.file_name for each in leased.submissions], leased.new, leased.more) == (["3.csv", "4.csv"], 2, 0)


async def follow_up() -> dict[str, Any]:
    """Returns the event of a run that follows another, in a window that stays open for an hour."""
    now = datetime.now(UTC)
    trigger = FilesTrigger(
        connection="acme-conversions",
        revision=1,
        dag_run_id="follow-up",
        started_at=now.isoformat(),
        due_at="",
        closes_at=(now + timedelta(hours=1)).isoformat(),
    )
    async with asyncio.timeout(60):
        return dict((await anext(trigger.run())).payload)


async def test_what_cannot_be_claimed_in_one_go_is_left_to_the_next_run(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MOST_CLAIMED", 2)
    for name in ("a.csv", "b.csv", "c.csv"):
        (sftp_partner.files / "in" / name).write_text("x")
    event = await waits()
    assert (len(claimed(ledger)), event["more"]) == (2, 1)
    assert ("waiting", "next_run") in sightings(ledger).values()


async def test_a_host_that_comes_back_within_the_window_is_waited_for(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    (sftp_partner.files / "in" / "a.csv").write_text("x")
    sftp_partner.stop()
    waiting = asyncio.create_task(waits(seconds=60))
    await asyncio.sleep(1.5)
    assert not waiting.done()
    await asyncio.to_thread(sftp_partner.start)
    await waiting
    assert claimed(ledger) == ["a.csv"]


async def test_a_wait_goes_on_in_the_next_triggerer_and_takes_a_file_once(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    waiting = asyncio.create_task(waits(seconds=600, arrival={"look_every": 0.2}))
    query = "select count(*) as n from connection_run"
    await until(lambda: ledger.one(query) == {"n": 1}, patience=60)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    (sftp_partner.files / "in" / "a.csv").write_text("x")
    arguments = waits.arguments
    for _ in range(2):
        event = await asyncio.to_thread(lambda: asyncio.run(first_event(arguments)))
        assert "error" not in event
    assert claimed(ledger) == ["a.csv"]
    assert ledger.one(query) == {"n": 1}


async def first_event(arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns the event of a trigger that another triggerer makes of what Airflow has stored."""
    async with asyncio.timeout(60):
        return dict((await anext(FilesTrigger(**arguments).run())).payload)


async def test_a_host_that_is_down_to_the_end_is_no_quiet_day(waits: Any, sftp_partner: PartnerServer) -> None:
    sftp_partner.stop()
    event = await waits(seconds=1)
    assert event["fatal"] is False
    assert f"127.0.0.1:{sftp_partner.port}" in event["error"]


async def test_a_wrong_password_ends_the_wait_at_once(waits: Any, set_credentials: SetCredentials) -> None:
    set_credentials(password="not-the-password")
    event = await waits(seconds=600)
    assert event["fatal"] is True
    assert "refused the login 'partner'" in event["error"]
    assert "not-the-password" not in event["error"]


async def test_another_host_key_ends_the_wait_at_once(waits: Any, set_credentials: SetCredentials) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    set_credentials(host_key=stranger)
    event = await waits(seconds=600)
    assert event["fatal"] is True
    assert "not the pinned one" in event["error"]


async def test_missing_credentials_are_named_with_the_command_that_sets_them(waits: Any) -> None:
    event = await waits(seconds=600, credentials="never-set")
    assert event["fatal"] is True
    for part in ("acme-conversions", "'never-set'", "connections credentials set never-set"):
        assert part in event["error"]


async def test_what_an_earlier_run_left_is_not_kept_waiting(
    waits: Any, sftp_partner: PartnerServer, ledger: Ledger
) -> None:
    (sftp_partner.files / "in" / "a.csv").write_text("x")
    await waits(run_id="manual__1")
    finish(ledger, "manual__1")
    now = datetime.now(UTC).isoformat()
    trigger = FilesTrigger(
        connection="acme-conversions", revision=1, dag_run_id="manual__2", started_at=now, due_at=now, closes_at=""
    )
    event = (await anext(trigger.run())).payload
    assert (claimed(ledger), event["left"]) == (["a.csv"], True)
    assert datetime.fromisoformat(event["closes_at"]) > datetime.now(UTC)


async def test_a_ledger_that_does_not_answer_is_tried_again_later(waits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/ledger")
    event = await waits(seconds=600)
    assert event["fatal"] is False
    assert "The ledger does not answer" in event["error"]
