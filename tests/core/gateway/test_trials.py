"""Trial files get their answer whatever happens; that they are checked rightly, the runs of hosted folders show."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from data_connections.errors import ConnectionsError
from data_connections.gateway.trials import answer_names
from fixtures.hosting import PUSHED, Hosting, until


def test_names_of_answers_fit_a_file_system() -> None:
    names = answer_names("\N{MONEY BAG}" * 63 + ".csv")
    assert all(len(name.encode()) <= 255 for name in names)
    assert len({*names}) == 3


async def test_what_cannot_be_checked_is_told_and_what_waited_is_taken_up(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: str, file: Path, rejects: Path) -> dict[str, Any]:
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
