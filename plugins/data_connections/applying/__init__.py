"""Staged rows into the ledger: one transaction a submission, in SQL sets."""

from data_connections.applying.library import OF_ACTIONS
from data_connections.applying.rules import Application, Bounds, Rules
from data_connections.applying.transaction import (
    Verdict,
    apply_staged,
    is_absolute,
    lock_actions,
    lock_family,
    must_be_known,
    retry_rows,
    verdicts_on,
)
from data_connections.applying.withdrawal import plan_withdrawal, undo

__all__ = [
    "OF_ACTIONS",
    "Application",
    "Bounds",
    "Rules",
    "Verdict",
    "apply_staged",
    "is_absolute",
    "lock_actions",
    "lock_family",
    "must_be_known",
    "plan_withdrawal",
    "retry_rows",
    "undo",
    "verdicts_on",
]
