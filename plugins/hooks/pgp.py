"""The OpenPGP keys of a connection, as Airflow keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from data_connections.formats.openpgp import Keyring


class PgpHook(BaseHook):
    """Fetches a keyring: the Airflow connection of that id.

    Its extra has ``pgp_private_key`` (armored secret keys of ours, one after the other), ``private_key_passphrase``
    and ``pgp_certificates`` (armored public keys of the partner).
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def get_conn(self) -> Keyring:
        """Return the keys.

        Raises:
            ConfigurationError: There are none.
        """
        from data_connections.formats.openpgp import Keyring
        from data_connections.formats.openpgp.keyring import split

        try:
            extra = AirflowConnection.get(self.name).extra_dejson
        except AirflowNotFoundException as missing:
            raise ConfigurationError(
                f"There are no PGP keys {self.name!r}. Make them with `connections credentials pgp "
                f"generate {self.name}`, or store them with `connections credentials pgp add {self.name} FILE`."
            ) from missing
        passphrase = extra.get("private_key_passphrase") or None
        secret = split(extra.get("pgp_private_key") or "")
        for text in (*secret, passphrase):
            if text:
                mask_secret(text)
        return Keyring(self.name, tuple(secret), passphrase, tuple(split(extra.get("pgp_certificates") or "")))


def keyring(name: str) -> Keyring:
    """Return the keys of that name, as a step of the core asks for them.

    Raises:
        ConfigurationError: There are none.
    """
    return PgpHook(name).get_conn()
