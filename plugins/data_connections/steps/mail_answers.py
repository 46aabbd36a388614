"""What senders of mails get back: the result of their files, and one word to those whose mails are refused."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from data_connections.catalog import activity
from data_connections.endpoints.mail_writing import AttachedFile, Letter
from data_connections.endpoints.names import shown
from data_connections.endpoints.smtp import MailServer
from data_connections.errors import ConnectionsError
from data_connections.ledger import Ledger, mails
from data_connections.ledger.submission import Submission
from data_connections.spec import MailSource
from data_connections.steps.pinned_run import PinnedRun

MOST_ATTACHED = 10 * 1024 * 1024
"""Bytes of result files that go with a mail; what is beyond it is left out, and the mail says so."""

OpenServer = Callable[[str], MailServer]
"""Returns the mail server of SMTP credentials by their name."""

_log = logging.getLogger(__name__)


def result_letter(
    submission: Submission, title: str, sentence: str, address: str, sender: str, files: Sequence[AttachedFile]
) -> Letter:
    """Return the mail that tells what became of a file.

    Args:
        submission: The file.
        title: The connection, for people.
        sentence: What became of it.
        address: Whom it is for.
        sender: Whom it is from.
        files: Receipt, summary and rejects.
    """
    name, state = shown(submission.file_name), submission.state.replace("_", " ")
    attached, left_out, size = [], [], 0
    for file in files:
        size += len(file.content)
        if size > MOST_ATTACHED:
            left_out.append(file.name)
        else:
            attached.append(file)
    lines = [f"{title}: {name} is {state}.", sentence, f"Trace id: {submission.trace_id}"]
    if left_out:
        lines.append(f"Too large to be mailed, please ask us for it: {', '.join(map(shown, left_out))}")
    at = submission.finished_at or submission.claimed_at
    key = f"result.{submission.trace_id}"
    return Letter(key, sender, (address,), f"{name}: {state}", lines, at, attached, automatic=True)


def reply_to_refused(ledger: Ledger, run: PinnedRun, open_server: OpenServer) -> list[str]:
    """Tell every proven sender whose mails are refused so, each at most once for ever; return whom.

    Whatever goes wrong with it is recorded, and the run goes on: it is about other files.

    Args:
        ledger: The ledger.
        run: The run.
        open_server: Returns the mail server of SMTP credentials by their name.
    """
    details = run.spec.details
    if not isinstance(details, MailSource) or not (details.senders and details.reply_to_refused):
        return []
    with ledger.connect() as connection:
        senders = mails.refused_senders(connection, run.connection_id)
    if not senders:
        return []
    try:
        server = open_server(details.smtp)
    except ConnectionsError as missing:
        _log.warning("Connection %s: refused senders are not told: %s", run.spec.name, missing)
        return []
    return [sender for sender in senders if _reply(ledger, run, server, sender)]


def _reply(ledger: Ledger, run: PinnedRun, server: MailServer, sender: str) -> bool:
    with ledger.connect() as connection:
        if not mails.claim_reply(connection, run.connection_id, sender):
            return False
        activity.record(connection, "connections", "mail.refused", sender, connection_id=run.connection_id)
    letter = Letter(
        key=f"refused.{hashlib.sha256(f'{run.connection_id} {sender}'.encode()).hexdigest()[:32]}",
        sender=server.sender,
        to=(sender,),
        subject="Your files were not taken",
        lines=(
            f"{run.spec.title}: files in mails from {sender} are not taken, because this address is not among those "
            "that were agreed. Nothing of them was processed.",
            "Please send them from an agreed address, or ask your contact to add this one. You get this message once.",
        ),
        at=datetime.now(UTC),
        automatic=True,
    )
    try:
        server.send(letter.as_bytes(), letter.recipients)
    except ConnectionsError as trouble:
        kind = type(trouble).__name__  # its words may hold the address
        _log.warning("Connection %s: a refused sender was not told: %s; mail_reply says why.", run.spec.name, kind)
        with ledger.connect() as connection:
            mails.note_reply_failed(connection, run.connection_id, sender, str(trouble))
        return False
    return True
