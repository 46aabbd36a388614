"""Trial files get their answer whatever happens; that they are checked rightly, the runs of hosted folders show."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from data_connections.errors import ConnectionsError
from data_connections.gateway.retention import TRIALS_STAY, expire_collected
from data_connections.gateway.trial_queue import MOST_WAITING, TrialQueue
from data_connections.gateway.trials import answer_names
from fixtures.hosting import PUSHED, Hosting, until


def test_names_of_answers_fit_a_file_system() -> None:
    names = answer_names("\N{MONEY BAG}" * 63 + ".csv")
    assert all(len(name.encode()) <= 255 for name in names)
    assert len({*names}) == 3


async def test_what_cannot_be_checked_is_told_and_what_waited_is_taken_up(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(connection: str, file: Path, rejects: Path) -> dict[str, Any]:
        raise ConnectionsError(f"the insides of {connection}")

    partner = hosting.host(PUSHED)
    async with partner.endpoint():
        pass
    await asyncio.to_thread(hosting.stop)
    (partner.files / "test" / "left.csv").write_text("while nobody was there")
    monkeypatch.setattr(hosting, "check", fail)
    await asyncio.to_thread(hosting.start)
    summary = partner.files / "test" / answer_names("left.csv").summary
    await until(summary.exists)
    told = json.loads(summary.read_text())
    assert told["problem"] == "It could not be checked; please tell us, with the trace id."
    assert (partner.files / "test" / "receipt_left.csv.txt").read_text().strip() == told["traceId"]
    await asyncio.to_thread(hosting.stop)
    await asyncio.to_thread(hosting.start)
    assert len(hosting.activity("trial.checked")) == 1


async def test_a_trial_that_takes_long_or_breaks_off_keeps_nobody_elses_from_an_answer(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    async def check(connection: str, file: Path, rejects: Path) -> dict[str, Any]:
        checked.append(file.name)
        if file.name == "broken.csv":
            raise RuntimeError("of the insides")
        if file.name == "long.csv":
            await asyncio.Event().wait()
        return {"file": file.name}

    slow, quick = hosting.host(PUSHED), hosting.host({**PUSHED, "name": "acme-quick"})
    await asyncio.to_thread(hosting.stop)
    for partner, names in ((slow, ("long.csv", "next.csv")), (quick, ("broken.csv", "good.csv"))):
        (partner.files / "test").mkdir(parents=True, exist_ok=True)
        for name in names:
            (partner.files / "test" / name).write_text("x")
    monkeypatch.setattr(hosting, "check", check)
    await asyncio.to_thread(hosting.start)
    await until((quick.files / "test" / answer_names("good.csv").summary).exists)
    assert sorted(checked) == ["broken.csv", "good.csv", "long.csv"]
    assert not hosting.gateway.broken.done()
    async with quick.endpoint() as endpoint:
        await endpoint.upload("live.csv", b"x")
    await until(lambda: hosting.started)
    async with asyncio.timeout(30):
        await asyncio.to_thread(hosting.stop)
    assert not (slow.files / "test" / answer_names("long.csv").summary).exists()


async def test_trials_and_their_answers_pass_and_files_to_be_taken_stay(hosting: Hosting) -> None:
    partner = hosting.host(PUSHED)
    async with partner.endpoint():
        pass
    old = time.time() - TRIALS_STAY.total_seconds() - 60
    for name in ("test/old.csv", "test/result_old.csv", "test/new.csv", "live.csv"):
        (partner.files / name).write_text("x")
        if "new" not in name:
            os.utime(partner.files / name, (old, old))
    gateway = hosting.gateway
    assert expire_collected(hosting.configuration.hosted, gateway.roster.specs(), gateway.journal) == 2
    assert {entry["subject"] for entry in hosting.activity("file.expired")} == {"/test/old.csv", "/test/result_old.csv"}
    assert (partner.files / "live.csv").exists()
    assert (partner.files / "test" / "new.csv").exists()


def test_connections_take_turns_and_none_has_two_files_checked_at_once() -> None:
    queue = TrialQueue()
    for name in (b"1", b"2", b"2", b"3"):
        queue.add(7, name)
    queue.add(8, b"1")
    assert [queue.take() for _ in range(3)] == [(7, b"1"), (8, b"1"), None]
    queue.done(7)
    assert queue.take() == (7, b"2")
    queue.add(8, b"4")
    queue.done(8)
    queue.done(7)
    assert [queue.take(), queue.take(), queue.take()] == [(7, b"3"), (8, b"4"), None]


def test_what_is_too_much_to_wait_is_looked_for_again_and_never_forgotten() -> None:
    queue = TrialQueue()
    for number in range(MOST_WAITING + 1):
        queue.add(7, b"%d" % number)
    for _ in range(MOST_WAITING):
        assert queue.take_overlooked() == set()
        assert queue.take() is not None
        queue.done(7)
    assert queue.take() is None
    assert queue.take_overlooked() == {7}
    assert queue.take_overlooked() == set()
