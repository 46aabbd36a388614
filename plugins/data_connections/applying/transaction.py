"""The one transaction in which a submission is applied: all of it, once, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from psycopg import sql

from data_connections.applying.held_rows import keep_held, settle_held, stage_held
from data_connections.applying.library import rules_for
from data_connections.applying.rules import ACTIONS, Application, Bounds, Effect, Hold, Rules
from data_connections.applying.verdicts import create_verdicts, verdict_sums, write_outcomes
from data_connections.data_types import DataType
from data_connections.errors import OutOfTurn, SealBroken, TotalsMismatch
from data_connections.ledger import submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import OUTCOMES, Attempt, Seal, Sum
from data_connections.ledger.submission import Submission
from data_connections.spec.dataset import Dataset

NOTHING_HELD = Bounds()
TESTED = "The connection is testing: this is what would have become of the rows, and nothing was applied."

Totals = Mapping[tuple[str, str], tuple[int, Decimal, Decimal]]
"""Rows, pieces and money by outcome and currency."""


def must_be_known(data_type: DataType) -> None:
    """Make sure that the rows of a data type can be applied.

    Raises:
        ConfigurationError: They cannot.
    """
    rules_for(data_type)


class Verdict(NamedTuple):
    """Why the ledger does not take a row, or (``accepted``) what is to be said about one that it takes."""

    line: int
    outcome: str
    code: str
    column_name: str | None
    message: str

    @property
    def severity(self) -> Literal["error", "warning"]:
        """How it stands among the findings of validation."""
        return "warning" if self.outcome == "accepted" else "error"


class Outlook(NamedTuple):
    """What a file would do to the ledger.

    Attributes:
        effect: By state and currency.
        hold: Why somebody would have to approve it first.
        moves_money: Whether rows count in another currency than validation took them for, as staging has it now.
    """

    effect: list[Effect]
    hold: Hold | None
    moves_money: bool


def is_absolute(data_type: DataType) -> bool:
    """Return whether rows of a data type say what is to be, so that an older file may come again and count.

    Raises:
        ConfigurationError: Its rows cannot be applied.
    """
    return rules_for(data_type).strict_order


def lock_family(connection: LedgerConnection, data_type: DataType, program: str) -> None:
    """Wait until no other submission changes the same rows of a program, for the rest of the transaction."""
    _lock(connection, program, rules_for(data_type).family)


def lock_actions(connection: LedgerConnection, program: str) -> None:
    """Wait until nobody else changes actions of a program, for the rest of the transaction."""
    _lock(connection, program, ACTIONS)


def lock_idle_actions(connection: LedgerConnection, program: str) -> bool:
    """Keep others from changing actions of a program until the transaction ends, unless somebody does so now."""
    found = connection.execute(
        "select pg_try_advisory_xact_lock(hashtextextended(%s, 0)) as idle", [_lock_name(program, ACTIONS)]
    ).fetchone()
    return bool(found and found["idle"])


def _lock(connection: LedgerConnection, program: str, family: str) -> None:
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [_lock_name(program, family)])


def _lock_name(program: str, family: str) -> str:
    return f"connections apply {program} {family}"


def apply_staged(
    connection: LedgerConnection,
    submission: Submission,
    program: str,
    data_type: DataType,
    dataset: Dataset,
    bounds: Bounds = NOTHING_HELD,
) -> bool:
    """Apply a sealed submission; the transaction has locked its row and its family, and the caller commits.

    Args:
        connection: The transaction.
        submission: What is applied.
        program: Key of the connection's program.
        data_type: What its rows are.
        dataset: Which rows it writes, where they are kept by key.
        bounds: What the connection lets the file do unasked.

    Returns:
        Whether it was applied; False where it is on hold now, because somebody has to approve it.

    Raises:
        OutOfTurn: An earlier submission of the connection has to be applied first.
        SealBroken: The staged rows are not the sealed ones.
        TotalsMismatch: Rows, pieces or money do not add up.
    """
    rules = rules_for(data_type)
    _keep_order(connection, submission, rules)
    opened = _opened(connection, submission, program, data_type, dataset)
    application = replace(opened, holds=bounds.hold_for > timedelta(0), bounds=bounds)
    totals = judge(connection, application, rules)
    held = rules.hold(connection, application) if rules.hold and submission.approved_at is None else None
    if held is not None:
        submissions.set_on_hold(connection, submission.id, held.code, held.message)
        return False
    compare(totals, rules.write(connection, application))
    warned = write_outcomes(connection, submission.id, application.attempt)
    keep_held(connection, application, bounds.hold_for)
    counts = _write_totals(connection, submission.id, totals)
    _finish(connection, submission.id, counts, warned)
    application.attempt.drop(connection)
    return True


def judge_staged(
    connection: LedgerConnection, submission: Submission, program: str, data_type: DataType, dataset: Dataset
) -> None:
    """Judge a sealed submission as ``apply_staged`` does, keep what became of its rows, and apply nothing.

    Raises:
        SealBroken: The staged rows are not the sealed ones.
    """
    application = replace(_opened(connection, submission, program, data_type, dataset), holds=True)
    totals = judge(connection, application, rules_for(data_type))
    warned = write_outcomes(connection, submission.id, application.attempt)
    counts = _write_totals(connection, submission.id, totals)
    _finish(connection, submission.id, counts, warned, tested=True)
    application.attempt.drop(connection)


def retry_rows(
    connection: LedgerConnection,
    submission: Submission,
    program: str,
    data_type: DataType,
    dataset: Dataset,
    now: datetime,
) -> Mapping[str, int]:
    """Apply the held rows of a submission whose time has come; the transaction has locked it and its family.

    Returns:
        What became of them, as rows by outcome.

    Raises:
        TotalsMismatch: Rows, pieces or money do not add up.
    """
    application = stage_held(connection, submission, program, data_type, dataset, now)
    if application is None:
        return dict.fromkeys(OUTCOMES, 0)
    rules = rules_for(data_type)
    totals = judge(connection, application, rules)
    compare(totals, rules.write(connection, application))
    counts = settle_held(connection, submission.id, totals)
    application.attempt.drop(connection)
    return counts


def _keep_order(connection: LedgerConnection, submission: Submission, rules: Rules) -> None:
    earlier = submissions.first_unfinished(connection, submission.connection_id) if rules.strict_order else None
    if earlier not in (None, submission.id):
        raise OutOfTurn(
            f"Submission {submission.id} waits for submission {earlier}: {submission.data_type} are applied in the "
            "order in which they came. Finish, approve or refuse that one."
        )


def outlook(connection: LedgerConnection, application: Application) -> Outlook:
    """Return what the ledger would make of staged rows now; what ``verdicts_on`` says about them lasts no longer."""
    rules = rules_for(application.data_type)
    create_verdicts(connection)
    moved = rules.decide(connection, application)
    connection.execute("analyze verdict")
    held = rules.hold(connection, application) if rules.hold else None
    return Outlook(rules.effect(connection, application), held, bool(moved))


def verdicts_on(connection: LedgerConnection, first: int, last: int) -> list[Verdict]:
    """Return what ``outlook`` had to say about the lines from ``first`` to ``last``, by line."""
    rows = connection.execute(
        b"""
        select line, outcome, code, column_name, message from verdict where line between %(first)s and %(last)s
        union all
        select line, 'accepted', code, column_name, message from remark where line between %(first)s and %(last)s
        order by line, code
        """,
        {"first": first, "last": last},
    ).fetchall()
    return [Verdict(**row) for row in rows]


def _opened(
    connection: LedgerConnection, submission: Submission, program: str, data_type: DataType, dataset: Dataset
) -> Application:
    if submission.attempt is None or submission.seal is None:
        raise SealBroken(f"Submission {submission.id} has no staged rows; they are staged again.")
    if submission.data_type_version != data_type.version:
        raise SealBroken(f"The data type of submission {submission.id} has changed since; its rows are staged again.")
    attempt, seal = Attempt(submission.attempt), Seal.from_json(submission.seal)
    quantity = data_type.measures.quantity
    staged = attempt.measure(connection, data_type.column(quantity).field if quantity else None)
    if staged != seal:
        raise SealBroken(
            f"The staged rows of submission {submission.id} are not the validated ones "
            f"({staged.rows()} rows now, {seal.rows()} sealed); they are staged again."
        )
    return Application(
        submission.id, submission.received_at, program, data_type, attempt, seal, attempt.columns(connection), dataset
    )


def judge(connection: LedgerConnection, application: Application, rules: Rules) -> Totals:
    """Let the rules decide, and return the sums of the file with their verdicts taken into account."""
    create_verdicts(connection)
    moved = rules.decide(connection, application)
    connection.execute("analyze verdict")
    totals: dict[tuple[str, str], tuple[int, Decimal, Decimal]] = defaultdict(lambda: (0, Decimal(0), Decimal(0)))
    _add(totals, application.seal.sums, 1)
    _add(totals, moved, 1)
    quantity = application.data_type.measures.quantity
    pieces = application.field(quantity) if quantity else sql.SQL("0")
    verdicts = verdict_sums(connection, application.attempt, pieces)
    _add(totals, verdicts, 1)
    _add(totals, [Sum("accepted", each.currency, each.rows, each.quantity, each.amount) for each in verdicts], -1)
    return totals


def _add(totals: dict[tuple[str, str], tuple[int, Decimal, Decimal]], sums: Iterable[Sum], sign: int) -> None:
    for each in sums:
        rows, quantity, amount = totals[each.outcome, each.currency]
        totals[each.outcome, each.currency] = (
            rows + sign * each.rows,
            quantity + sign * Decimal(each.quantity),
            amount + sign * Decimal(each.amount),
        )


def compare(totals: Totals, written: Iterable[Sum]) -> None:
    """Make sure that what was written is what was accepted; TotalsMismatch says what is not."""
    expected = {currency: sums for (outcome, currency), sums in totals.items() if outcome == "accepted" and any(sums)}
    found = {each.currency: (each.rows, Decimal(each.quantity), Decimal(each.amount)) for each in written}
    if expected != found:
        raise TotalsMismatch(
            f"The totals do not add up, and nothing was applied: rows, pieces and money by currency should be "
            f"{_shown(expected)}, written were {_shown(found)}. This is a defect of Connections; please report it."
        )


def _shown(sums: Mapping[str, tuple[int, Decimal, Decimal]]) -> str:
    return "; ".join(f"{name} {rows}, {pieces}, {money}" for name, (rows, pieces, money) in sorted(sums.items()))


def _write_totals(connection: LedgerConnection, submission_id: int, totals: Totals) -> dict[str, int]:
    counts = dict.fromkeys(OUTCOMES, 0)
    for (outcome, currency), (rows, quantity, amount) in totals.items():
        if rows:
            counts[outcome] += rows
            connection.execute(
                """
                insert into submission_total (submission_id, outcome, currency, rows, quantity, amount)
                values (%s, %s, %s, %s, %s, %s)
                """,
                [submission_id, outcome, currency, rows, quantity, amount],
            )
    return counts


def _finish(
    connection: LedgerConnection, submission_id: int, counts: Mapping[str, int], warned: int, *, tested: bool = False
) -> None:
    state = "tested" if tested else "partly_applied" if counts["rejected"] else "applied"
    parameters: dict[str, Any] = {**counts, "id": submission_id, "warned": warned, "rows": sum(counts.values())}
    parameters |= {"state": state, "message": TESTED if tested else None}
    connection.execute(
        """
        update submission
        set state = %(state)s, code = null, message = %(message)s,
            rows = %(rows)s, accepted = %(accepted)s, warned = %(warned)s, rejected = %(rejected)s,
            duplicate = %(duplicate)s, held = %(held)s, finished_at = now(), leased_until = null
        where id = %(id)s
        """,
        parameters,
    )
