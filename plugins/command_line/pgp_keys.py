"""The OpenPGP keys of connections, for commands that bring submissions to their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from command_line.airflow_process import enter_airflow
from data_connections.settings import Settings

if TYPE_CHECKING:
    from data_connections.formats.openpgp import Keyring


def pgp_keys(settings: Settings) -> Callable[[str], Keyring]:
    """Return what fetches the keys of a name from Airflow, which is only started where they are needed."""

    def fetched(name: str) -> Keyring:
        enter_airflow(settings)
        from hooks.pgp import keyring

        return keyring(name)

    return fetched
