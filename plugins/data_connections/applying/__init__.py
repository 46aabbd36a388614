"""Staged rows into the ledger: one transaction a submission, in SQL sets."""

from data_connections.applying.rules import Application, Rules
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

__all__ = [
    "Application",
    "Rules",
    "Verdict",
    "apply_staged",
    "is_absolute",
    "lock_actions",
    "lock_family",
    "must_be_known",
    "retry_rows",
    "verdicts_on",
]
