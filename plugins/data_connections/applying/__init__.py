"""Staged rows into the ledger: one transaction a submission, in SQL sets."""

from data_connections.applying.library import OF_ACTIONS
from data_connections.applying.rules import Application, Bounds, Effect, Hold, Rules
from data_connections.applying.transaction import (
    Outlook,
    Verdict,
    apply_staged,
    is_absolute,
    judge_staged,
    lock_actions,
    lock_family,
    lock_idle_actions,
    must_be_known,
    outlook,
    retry_rows,
    verdicts_on,
)
from data_connections.applying.withdrawal import plan_withdrawal, undo

__all__ = [
    "OF_ACTIONS",
    "Application",
    "Bounds",
    "Effect",
    "Hold",
    "Outlook",
    "Rules",
    "Verdict",
    "apply_staged",
    "is_absolute",
    "judge_staged",
    "lock_actions",
    "lock_family",
    "lock_idle_actions",
    "must_be_known",
    "outlook",
    "plan_withdrawal",
    "retry_rows",
    "undo",
    "verdicts_on",
]
