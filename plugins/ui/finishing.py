"""Bringing a kept submission to its end after the page was answered, in a thread of the API server."""

from __future__ import annotations

import logging

from fastapi import BackgroundTasks

from data_connections.errors import ConnectionsError
from data_connections.landing import Landing
from data_connections.ledger import Ledger
from data_connections.steps import manual
from hooks.pgp import keyring

_log = logging.getLogger(__name__)


def finish_later(later: BackgroundTasks, ledger: Ledger, landing: Landing, submission_id: int) -> None:
    """Validate and apply a submission once the answer is on its way.

    Whatever happens to this process, the submission is kept: its page offers to go on with it.
    """
    later.add_task(_finish, ledger, landing, submission_id)


def _finish(ledger: Ledger, landing: Landing, submission_id: int) -> None:
    try:
        manual.finish(ledger, landing, submission_id, keys=keyring)
    except ConnectionsError as failed:
        _log.warning("Submission %s was not finished: %s", submission_id, failed)
