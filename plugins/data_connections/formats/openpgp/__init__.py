"""OpenPGP: files that are encrypted for us, signed by a partner, or both ways round."""

from data_connections.formats.openpgp.keyring import Key, Keyring
from data_connections.formats.openpgp.message import Opened, is_message, open_message, write_message

__all__ = ["Key", "Keyring", "Opened", "is_message", "open_message", "write_message"]
