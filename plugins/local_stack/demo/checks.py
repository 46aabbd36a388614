"""What must be true after the demo; each check reads the effect itself and compares it with what was expected."""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from data_connections.errors import ConnectionsError
from data_connections.ledger import Ledger
from local_stack.demo.files import (
    ZONE,
    expected_amounts,
    expected_counts,
    expected_orders,
    expected_rejects,
)

_APPLIED = """
    select currency, count(*) as actions, sum(amount) as amount
    from action where submission_id = %s group by currency
"""
_BOOKED_ON_DAY = """
    select currency, count(*) as actions, sum(amount) as amount from action
    where program_id = 1000 and (event_at at time zone %s)::date = %s group by currency
"""


def check_submission(ledger: Ledger, submission: dict[str, Any]) -> None:
    """Compare counts of rows, actions and money in the ledger with what the demo's file holds."""
    _same("the submission's rows", {name: submission[name] for name in expected_counts()}, expected_counts())
    _same("the submission's state", submission["state"], "partly_applied")
    applied = {row["currency"]: row for row in ledger.all(_APPLIED, [submission["id"]])}
    _same("actions in the ledger", {name: row["actions"] for name, row in applied.items()}, expected_orders())
    _same("money in the ledger", {name: row["amount"] for name, row in applied.items()}, expected_amounts())


def check_results(folder: Path, submission: dict[str, Any]) -> list[Path]:
    """Read what the partner got back; return the files, the rejects last."""
    name, trace = submission["file_name"], str(submission["trace_id"])
    receipt = folder / f"receipt_{name}.txt"
    summary = folder / f"result_{name}_summary.json"
    rejects = folder / f"result_{trace}_{name}"
    for path in (receipt, summary, rejects):
        if not path.exists():
            raise ConnectionsError(f"The partner did not get {path.name}.")
    _same("the receipt's trace id", receipt.read_text(encoding="utf-8").strip(), trace)
    updates = json.loads(summary.read_text(encoding="utf-8"))["updates"]
    _same("the summary's rows", updates["totalRowCount"], sum(expected_counts().values()))
    with rejects.open(encoding="utf-8", newline="") as stream:
        found = [(int(row["Line"]), row["ErrorCode"]) for row in csv.DictReader(stream)]
    _same("the rejected lines and their codes", found, expected_rejects())
    return [receipt, summary, rejects]


def check_delivery(ledger: Ledger, delivery: dict[str, Any], files: Path) -> Path:
    """Compare the delivered report with its record and with the ledger; return the file at the partner."""
    report = files / str(delivery["remote_path"]).lstrip("/")
    if not report.exists():
        raise ConnectionsError(f"The report {report.name} is not in the partner's folder.")
    _same("the report's hash", hashlib.sha256(report.read_bytes()).hexdigest(), delivery["sha256"])
    with report.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    booked = ledger.all(_BOOKED_ON_DAY, [ZONE.key, delivery["business_date"]])
    expected = {row["currency"]: row["amount"] for row in booked}
    _same("the report's revenue", {row["Currency"]: Decimal(row["Revenue"]) for row in rows}, expected)
    return report


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ConnectionsError(f"Not as expected: {what}. Found {found}, expected {expected}.")
