"""Opening an OpenPGP message: what it holds takes the place of the original, which is kept beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from data_connections.errors import ConfigurationError, FileRefused
from data_connections.formats.openpgp import Keyring, is_message, open_message
from data_connections.landing import Landing
from data_connections.landing.area import BLOCK
from data_connections.ledger import Ledger, submissions
from data_connections.ledger.submission import Submission
from data_connections.spec.pgp import InboundPgp
from data_connections.steps.job import Job
from data_connections.validation import Finding

Keys = Callable[[str], Keyring]
"""Fetches the keys of that name, where a step needs them."""

HEAD = 512
KEY_EXPIRES = "PGP_KEY_EXPIRES"


def unwrap(ledger: Ledger, landing: Landing, job: Job, keys: Keys | None) -> bool:
    """Open a fetched submission that is an OpenPGP message; return whether it was one.

    Raises:
        FileRefused: It cannot be opened, or is not protected as the connection asks.
        ConfigurationError: Its keys cannot be read.
        OriginalDamaged: The original is gone or no longer what was kept.
    """
    submission, pgp = job.submission, job.spec.pgp
    if pgp is None or not is_as_it_came(submission):
        return False
    with landing.open(str(submission.landing_key)) as source:
        kind = is_message(source.read(HEAD))
    _refuse_unprotected(kind, submission.file_name, pgp)
    if keys is None:
        raise ConfigurationError(f"The keys of {pgp.credentials} are not at hand; run this where Airflow's are.")
    keyring = keys(pgp.credentials)
    with tempfile.TemporaryDirectory(prefix="connections-pgp-") as folder:
        message, content = Path(folder, "message"), Path(folder, "content")
        _copy(landing, str(submission.landing_key), message)
        most = job.spec.limits.max_bytes
        opened = open_message(message, content, keyring, name=submission.file_name, signed=pgp.signed, most=most)
        message.unlink()
        with content.open("rb") as plain:
            original = landing.keep_file(plain)
    warnings = [
        Finding(None, None, KEY_EXPIRES, text, "warning")._asdict() for text in keyring.warnings(datetime.now(UTC))
    ]
    with ledger.connect() as connection:
        submissions.set_unwrapped(connection, submission.id, original.key, original.sha256, opened.signed_by, warnings)
    return True


@contextmanager
def opened(path: Path, pgp: InboundPgp | None, keys: Keys, most: int) -> Iterator[Path]:
    """Yield what a local file holds: itself, or the content of the OpenPGP message that it is; nothing is kept.

    Raises:
        FileRefused: It cannot be opened, or is not protected as the connection asks.
    """
    if pgp is None:
        yield path
        return
    with path.open("rb") as source:
        _refuse_unprotected(is_message(source.read(HEAD)), path.name, pgp)
    with tempfile.TemporaryDirectory(prefix="connections-pgp-") as folder:
        content = Path(folder, "content")
        open_message(path, content, keys(pgp.credentials), name=path.name, signed=pgp.signed, most=most)
        yield content


def is_as_it_came(submission: Submission) -> bool:
    """Whether nobody has opened a submission's file yet: neither as a message, nor as a parcel's."""
    return submission.message_key is None and submission.parcel_id is None


def _refuse_unprotected(kind: str | None, name: str, pgp: InboundPgp) -> None:
    if pgp.encrypted and kind != "encrypted":
        raise FileRefused(
            "PGP_NOT_ENCRYPTED", f"{name} is not encrypted with PGP, and this connection takes encrypted files only."
        )
    if kind is None:
        raise FileRefused("PGP_NOT_SIGNED", f"{name} is not signed, and this connection takes signed files only.")


def _copy(landing: Landing, key: str, target: Path) -> None:
    with landing.open_verified(key) as source, target.open("wb") as copy:
        while block := source.read(BLOCK):
            copy.write(block)
