"""Making OpenPGP messages of the checked files of a delivery: once, so that a retry sends the same bytes."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from data_connections.formats.openpgp import Keyring, write_message
from data_connections.landing import Landing
from data_connections.landing.area import BLOCK
from data_connections.ledger.deliveries import Message
from data_connections.ledger.delivery import Delivery, DeliveryFile
from data_connections.spec.pgp import OutboundPgp


def wrap(landing: Landing, delivery: Delivery, pgp: OutboundPgp, keyring: Keyring) -> dict[int, Message]:
    """Return the kept message of each file, by its number.

    Raises:
        ConfigurationError: There is no valid key for it.
        OriginalDamaged: The kept bytes are not the exported ones.
    """
    return {file.number: _message(landing, file, pgp, keyring) for file in delivery.files}


def _message(landing: Landing, file: DeliveryFile, pgp: OutboundPgp, keyring: Keyring) -> Message:
    with tempfile.TemporaryDirectory(prefix="connections-pgp-") as folder:
        content, message = Path(folder, "content"), Path(folder, "message")
        with landing.open_verified(file.landing_key) as source, content.open("wb") as copy:
            while block := source.read(BLOCK):
                copy.write(block)
        write_message(content, message, keyring, encrypt=pgp.encrypt, sign=pgp.sign, armor=pgp.armor)
        content.unlink()
        with message.open("rb") as written:
            md5 = hashlib.file_digest(written, "md5").hexdigest()
            written.seek(0)
            original = landing.keep_file(written)
    return Message(original.key, original.sha256, original.size, md5)
