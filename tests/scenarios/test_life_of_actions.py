"""Random lives of actions, replayed against a small model of the ledger in plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from data_connections.landing import Landing
from data_connections.ledger import Ledger
from data_connections.steps.locking import lock_due
from data_connections.steps.reconciliation import reconcile
from data_connections.steps.withdrawal import withdraw
from fixtures.desk import PROGRAMS, Desk, table

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN_DAYS = 5
ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount"
CHANGES = "ActionTrackerId,OrderId,Amount,Reason,DispositionCode"
BAD = "1e3"
NAMES = st.sampled_from("ABC")
LATE = st.sampled_from([0, 1, 30, 72])
ROWS = st.lists(
    st.tuples(NAMES, st.sampled_from(["0", "5.00", "9.50", "", "APPROVED", "REJECTED"])), min_size=1, max_size=5
)


@dataclass
class Action:
    """What the model knows of an order's newest action."""

    event: datetime
    state: str
    amount: Decimal
    locked_by: str | None = None
    made_by: int = 0
    history: list[tuple[int, str, Decimal]] = field(default_factory=list)

    @property
    def locks(self) -> datetime:
        return datetime(self.event.year, self.event.month, self.event.day, tzinfo=UTC) + timedelta(days=OPEN_DAYS + 1)


class Model:
    """The ledger's rules for one event type, a row at a time."""

    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}
        self.held: list[tuple[int, str, str]] = []
        self.sent: dict[int, tuple[str, datetime]] = {}

    def order(self, name: str, amount: str, event: datetime, submission: int) -> str:
        if amount == BAD:
            return "rejected"
        if name in self.actions:
            return "duplicate"
        self.actions[name] = Action(event, "PENDING", Decimal(amount), made_by=submission)
        return "accepted"

    def change_all(self, rows: list[tuple[str, str]], submission: int) -> list[str]:
        late = {name for name, action in self.actions.items() if self._is_superseded(action, submission)}
        return [self._change(name, cell, submission, late) for name, cell in rows]

    def _is_superseded(self, action: Action, submission: int) -> bool:
        """Whether a file changed the action that came after this one: by number, or by time where others sent it."""
        if not action.history:
            return False
        later = action.history[-1][0]
        (its_connection, its_time), (connection, time) = self.sent[later], self.sent[submission]
        return later > submission if its_connection == connection else its_time > time

    def _change(self, name: str, cell: str, submission: int, late: set[str]) -> str:
        action = self.actions.get(name)
        if action is None:
            self.held.append((submission, name, cell))
            return "held"
        verdict = self._verdict(action, cell, self.sent[submission][1])
        if verdict is not None or name in late:
            return "rejected"
        before = (submission, action.state, action.amount)
        if cell == "APPROVED":
            action.state, action.locked_by = "APPROVED", "file"
        elif cell == "REJECTED":
            action.state, action.amount, action.locked_by = "REVERSED", Decimal(0), None
        else:
            new = Decimal(cell)
            if new == 0 and action.amount != 0:
                action.state, action.locked_by = "REVERSED", None
            elif action.state == "REVERSED":
                action.state = "PENDING"
            action.amount = new
        action.history.append(before)
        return "accepted"

    @staticmethod
    def _verdict(action: Action, cell: str, received: datetime) -> str | None:
        if cell == "APPROVED" and action.state == "APPROVED":
            return "ALREADY_APPROVED"
        if action.locks <= received:
            return "ALREADY_LOCKED"
        if action.locked_by == "file":
            return "ALREADY_APPROVED"
        says_nothing = cell in ("", "APPROVED", "REJECTED")
        if action.state == "REVERSED" and (says_nothing or Decimal(cell) == 0):
            return "ALREADY_REVERSED"
        if cell in ("APPROVED", "REJECTED"):
            return None
        if cell == "" or (Decimal(cell) == action.amount and Decimal(cell) != 0):
            return "NO_CHANGE"
        return None

    def free(self) -> None:
        waiting, self.held = self.held, []
        for submission in sorted({each[0] for each in waiting}, key=lambda number: (self.sent[number][1], number)):
            self.change_all([(name, cell) for number, name, cell in waiting if number == submission], submission)
        self.held.sort(key=lambda each: each[0])

    def lock(self, now: datetime) -> None:
        for action in self.actions.values():
            if action.state == "PENDING" and action.locks <= now:
                action.state, action.locked_by = "APPROVED", "date"

    def withdraw(self, submission: int, now: datetime) -> None:
        self.held = [each for each in self.held if each[0] != submission]
        for name, action in list(self.actions.items()):
            touched = [number for number, entry in enumerate(action.history) if entry[0] == submission]
            if action.locked_by or action.locks <= now:
                continue
            if action.made_by == submission and not [entry for entry in action.history if entry[0] != submission]:
                del self.actions[name]
            elif touched and action.made_by != submission and action.history[-1][0] == submission:
                _, action.state, action.amount = action.history[touched[0]]
                del action.history[touched[0] :]


class LifeOfActions(RuleBasedStateMachine):
    """Files, locks and withdrawals in any order; after each the ledger has to be what the model is."""

    ledger: Ledger
    folder: Path

    @initialize()
    def begin(self) -> None:
        with self.ledger.connect() as connection:
            connection.execute(_EMPTY)
            connection.execute(PROGRAMS.encode())
            connection.execute("update event_type set locking_after = 'event', locking_days = 5 where id = 2001")
        self.desk = Desk(self.ledger, Landing(self.folder / "landing"), self.folder)
        self.desk.connect("orders")
        self.desk.connect("changes", data_type="action_modifications")
        self.desk.connect("others", data_type="action_modifications")
        self.model, self.now = Model(), START
        self.files: list[tuple[str, str, int]] = []
        self.rejects: list[bytes] = []

    @rule(
        orders=st.lists(
            st.tuples(NAMES, st.sampled_from(["0", "10.00", "9.50", BAD])),
            min_size=1,
            max_size=3,
            unique_by=lambda pair: pair[0],
        ),
        hours_late=LATE,
    )
    def submit_orders(self, orders: list[tuple[str, str]], hours_late: int) -> None:
        event = self.now - timedelta(hours=hours_late)
        rows = [f"1000,2001,{event:%Y-%m-%dT%H:%M:%SZ},{name},EUR,{amount}" for name, amount in orders]
        done = self._order(table(ORDERS, *rows))
        if done["rejected"]:
            [rejects] = [content for name, content in self.desk.results(done).items() if name.endswith(".csv")]
            self.rejects.append(rejects)

    @rule(data=st.data())
    def correct_rejects(self, data: st.DataObject) -> None:
        if self.rejects:
            rejects = self.rejects.pop(data.draw(st.integers(0, len(self.rejects) - 1)))
            self._order(rejects.decode().replace(f",{BAD},", ",7.00,"))

    @rule(rows=ROWS)
    def submit_changes(self, rows: list[tuple[str, str]]) -> None:
        self._change("changes", table(CHANGES, *map(_line, rows)), rows)

    @rule(rows=ROWS, hours_late=LATE)
    def submit_what_was_received_before(self, rows: list[tuple[str, str]], hours_late: int) -> None:
        self._change("others", table(CHANGES, *map(_line, rows)), rows, self.now - timedelta(hours=hours_late))

    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        if not self.files:
            return
        connection, text, _ = data.draw(st.sampled_from(self.files))
        if connection == "orders":
            self._order(text)
        else:
            self._change(connection, text, [_cells(line) for line in text.splitlines()[1:]])

    @rule(days=st.integers(1, 2))
    def time_goes_by_and_actions_lock(self, days: int) -> None:
        self.now += timedelta(days=days)
        lock_due(self.ledger, self.now)
        self.model.lock(self.now)

    @rule(data=st.data())
    def withdraw_one(self, data: st.DataObject) -> None:
        applied = self.ledger.all(
            "select id from submission where state in ('applied', 'partly_applied') and withdrawn_at is null"
            " order by id"
        )
        if applied:
            number = data.draw(st.sampled_from([row["id"] for row in applied]))
            withdraw(self.ledger, number, self.now, who="model")
            self.model.withdraw(number, self.now)

    def _order(self, text: str) -> dict[str, Any]:
        done = self._submit("orders", text)
        if done["state"] != "duplicate":
            cells = [line.split(",") for line in text.splitlines()[1:]]
            outcomes = [self.model.order(row[3], row[5], datetime.fromisoformat(row[2]), done["id"]) for row in cells]
            self._compare_counts(done, outcomes)
            self.model.free()
        return done

    def _change(
        self, connection: str, text: str, rows: list[tuple[str, str]], received: datetime | None = None
    ) -> None:
        done = self._submit(connection, text, received)
        if done["state"] != "duplicate":
            self._compare_counts(done, self.model.change_all(rows, done["id"]))

    def _submit(self, connection: str, text: str, received: datetime | None = None) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        received = received or self.now
        done = self.desk.submit(text, f"{connection}.csv", connection, received_at=received)
        self.files.append((connection, text, done["id"]))
        self.model.sent[done["id"]] = (connection, received)
        return done

    def _compare_counts(self, done: dict[str, Any], outcomes: list[str]) -> None:
        names = ("accepted", "rejected", "duplicate", "held")
        assert {name: done[name] for name in names} == {name: outcomes.count(name) for name in names}

    @invariant()
    def the_ledger_is_what_the_model_is(self) -> None:
        rows = self.ledger.all(
            "select order_id, state, amount, locked_by from action where withdrawn_at is null order by order_id"
        )
        found = {row["order_id"]: (row["state"], row["amount"], row["locked_by"]) for row in rows}
        assert found == {name: (a.state, a.amount, a.locked_by) for name, a in sorted(self.model.actions.items())}
        held = self.ledger.all("select submission_id, staged ->> 'order_id' as name from held_row order by 1, line")
        assert [(row["submission_id"], row["name"]) for row in held] == [each[:2] for each in self.model.held]

    def teardown(self) -> None:
        assert reconcile(self.ledger).good


def _line(row: tuple[str, str]) -> str:
    name, cell = row
    if cell == "REJECTED":
        return f"2001,{name},,,REJECTED"
    return f"2001,{name},,APPROVED," if cell == "APPROVED" else f"2001,{name},{cell},OTHER,"


def _cells(line: str) -> tuple[str, str]:
    _, name, amount, reason, disposition = line.split(",")
    return name, disposition or ("APPROVED" if reason == "APPROVED" else amount)


_EMPTY = b"""
    truncate program, event_type, partner, connection, connection_revision, submission, sighting, action, action_item,
             action_update, action_item_update, held_row, outcome, submission_total, activity restart identity cascade
"""


@pytest.mark.timeout(600)
def test_random_lives_of_actions_are_what_a_small_model_says(ledger: Ledger, tmp_path: Path) -> None:
    machine = type("Lives", (LifeOfActions,), {"ledger": ledger, "folder": tmp_path})
    machine.TestCase.settings = settings(
        max_examples=LIVES,
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    machine.TestCase("runTest").runTest()


LIVES = 4
"""Each life is some ten files, each through the whole of validation and applying."""
