"""A replay: the kept original of a submission judged once more, as a submission of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from data_connections.catalog import activity
from data_connections.data_types import DataTypes
from data_connections.errors import ConfigurationError
from data_connections.landing import Landing
from data_connections.ledger import Ledger, claims, submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import OUTCOMES
from data_connections.ledger.submission import Submission
from data_connections.spec import InboundConnection
from data_connections.spec.file_pattern import FilePattern
from data_connections.steps.business_day import BusinessDays
from data_connections.steps.description import described
from data_connections.steps.dry_run import ledger_review
from data_connections.steps.job import job_of
from data_connections.steps.pinned_run import PinnedRun
from data_connections.validation.check import CheckReport, check_file

CODES_COUNTED = 100_000
"""How many findings of a dry run are counted by their code."""


def take_days_again(ledger: Ledger, run: PinnedRun, days: BusinessDays, *, all_of_them: bool = False) -> list[int]:
    """Take files of days gone by again whose rows are not all in the ledger, from the landing area.

    They are files that were refused whole or had rejected rows. Of equal bytes only the newest submission counts, and
    one that was judged by the run's own revision is left alone, so that doing it twice changes nothing.

    Args:
        ledger: The ledger.
        run: The run that is to bring them to an end.
        days: The days that are wanted, by the date in the file's name, else by its received time.
        all_of_them: Take those of the run's own revision too.

    Returns:
        The new submissions.
    """
    assert isinstance(run.spec, InboundConnection)  # noqa: S101 - only inbound connections have files to take
    with ledger.connect() as connection:
        return [
            submissions.add_replay(connection, submission, run.revision, run_id=run.id)
            for submission in submissions.not_fully_applied(connection, run.connection_id)
            if day_of(submission, run.spec) in days and (all_of_them or submission.revision != run.revision)
        ]


def day_of(submission: Submission, spec: InboundConnection) -> date:
    """Return the business day of a file: the date in its name where declared, else the day on which it came."""
    named = FilePattern(spec.details.file_pattern).business_date(submission.file_name)
    return named or submission.received_at.astimezone(ZoneInfo(spec.time_zone)).date()


@dataclass(frozen=True)
class Difference:
    """What became of the rows of a submission, and what would become of them now.

    Attributes:
        then: Rows by outcome and by code, such as ``accepted`` and ``rejected EVENT_TOO_OLD``; money by currency.
        now: The same for the dry run.
    """

    then: Mapping[str, int | str]
    now: Mapping[str, int | str]

    def lines(self) -> list[tuple[str, int | str, int | str]]:
        """Return each figure then and now, the outcomes first."""
        return [
            (name, self.then.get(name, 0), self.now.get(name, 0)) for name in dict.fromkeys([*self.then, *self.now])
        ]

    def as_json(self) -> dict[str, dict[str, int | str]]:
        """Return both sides as JSON values."""
        return {"then": dict(self.then), "now": dict(self.now)}


def preview(
    ledger: Ledger,
    landing: Landing,
    submission_id: int,
    *,
    original_revision: bool = False,
    data_types: DataTypes | None = None,
) -> Difference:
    """Return what would become of the rows of a submission if it were taken again now; nothing is changed.

    Arguments and errors are those of ``take_again``.
    """
    with ledger.connect() as connection:
        submission = _replayable(connection, submission_id)
        number = _revision(connection, submission, original=original_revision)
        job = job_of(connection, replace(submission, revision=number), data_types)
    with (
        landing.open(str(submission.landing_key)) as source,
        ledger_review(ledger, job.spec, job.data_type, submission.received_at, again=True) as review,
    ):
        report = check_file(
            source,
            job.data_type,
            job.options(),
            file_format=job.file_format,
            name=submission.file_name,
            errors_shown=CODES_COUNTED,
            review=review,
        )
    return Difference(_figures(described(ledger, submission_id, errors=0)), _figures(_with_codes(report)))


def _figures(shown: Mapping[str, Any]) -> dict[str, int | str]:
    refusal = shown["file_error"]
    return {
        **({"refused": refusal["code"]} if refusal else {}),
        **{name: shown[name] for name in ("rows", *OUTCOMES)},
        **shown["amounts"],
        **{f"{each['severity']} {each['code']}": each["rows"] for each in shown["codes"]},
    }


def _with_codes(report: CheckReport) -> dict[str, Any]:
    counts = Counter((finding.severity, finding.code) for finding in report.errors)
    codes = [{"severity": severity, "code": code, "rows": rows} for (severity, code), rows in counts.most_common()]
    return {**report.as_json(), "codes": codes}


def take_again(ledger: Ledger, submission_id: int, *, who: str, original_revision: bool = False) -> int:
    """Take the kept original of one submission again, and return the new submission.

    Rows that the ledger has come out as duplicates. ``manual.finish`` brings the new submission to its end.

    Args:
        ledger: The ledger.
        submission_id: The submission whose original is judged once more.
        who: Who asked for it; stands in the activity log.
        original_revision: Judge by the revision that the submission was pinned to, not by today's.

    Raises:
        UnknownName: There is no such submission.
        ConfigurationError: It is not final yet, or has no original.
    """
    with ledger.connect() as connection:
        submission = _replayable(connection, submission_id)
        number = _revision(connection, submission, original=original_revision)
        replayed = submissions.add_replay(connection, submission, number, apply_anyway=True)
        claims.lease(connection, replayed)
        activity.record(
            connection,
            who,
            "submission.replayed",
            f"submission {submission_id}",
            connection_id=submission.connection_id,
            details={"as": replayed, "revision": number},
        )
    return replayed


def _replayable(connection: LedgerConnection, submission_id: int) -> Submission:
    submission = submissions.get(connection, submission_id)
    if not submission.is_final:
        raise ConfigurationError(
            f"Submission {submission_id} is {submission.state}, not final; it can be taken again once it has ended."
        )
    if submission.members:
        raise ConfigurationError(
            f"Submission {submission_id} is a zip of {submission.members} files. Take again those that need it; "
            f"`connections submissions show {submission_id}` lists them."
        )
    if submission.landing_key is None and submission.fetched_at is not None:
        raise ConfigurationError(
            f"The original of submission {submission_id} was deleted when its time was over "
            "(CONNECTIONS_KEEP_ORIGINALS). Ask the sender for the file."
        )
    if submission.landing_key is None:
        raise ConfigurationError(
            f"Submission {submission_id} has no original ({submission.code}): the file never came here whole. "
            "Ask the sender for it."
        )
    return submission


def _revision(connection: LedgerConnection, submission: Submission, *, original: bool) -> int:
    if original:
        return submission.revision
    row = connection.execute("select revision from connection where id = %s", [submission.connection_id]).fetchone()
    assert row is not None  # noqa: S101 - a submission's connection is never deleted
    return int(row["revision"])
