"""Names of our assets in OpenLineage; Airflow finds them by the entry point `apache_airflow_provider`."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.sdk import Asset

SCHEME = "connections"
_ACTIONS = "actions"
_POSTGRES_PORT = "5432"


def provider_info() -> dict[str, Any]:
    """Return what Airflow has to know: the scheme of our assets, and what names them in OpenLineage."""
    return {
        "package-name": "connections",
        "name": "Connections",
        "description": "Files of partners, fetched, checked, applied and delivered.",
        "asset-uris": [
            {"schemes": [SCHEME], "handler": None, "to_openlineage_converter": f"{__name__}.{to_dataset.__name__}"}
        ],
    }


def to_dataset(asset: Asset, lineage_context: Any) -> Dataset:
    """Return the OpenLineage dataset of one of our assets: a table of the ledger, or a place that we host.

    Tables follow OpenLineage's naming of PostgreSQL: ``postgres://host:port`` and ``database.schema.table``, with
    this machine's name for the embedded server.

    Args:
        asset: Its URI is ``connections://ledger/PROGRAM/WHAT`` or ``connections://place/NAME``.
        lineage_context: Who asks; not needed.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset

    kind, _, rest = asset.uri.removeprefix(f"{SCHEME}://").partition("/")
    if kind != "ledger":
        return Dataset(namespace=f"{SCHEME}://{kind}", name=rest)
    server, database = _ledger()
    return Dataset(namespace=server, name=f"{database}.public.{_table(rest.rpartition('/')[2])}")


def _ledger() -> tuple[str, str]:
    """Return the ledger's server and database, without anything of its login."""
    from data_connections.postgres.ledger_address import LEDGER_DATABASE
    from data_connections.settings import Settings

    url = Settings.from_environment().database_url or f"postgresql:///{LEDGER_DATABASE}"
    parts = urlsplit(url)
    host = socket.gethostname() if not parts.hostname else parts.hostname
    return f"postgres://{host}:{parts.port or _POSTGRES_PORT}", parts.path.lstrip("/")


def _table(what: str) -> str:
    from data_connections.data_types import load_data_types
    from data_connections.settings import Settings

    if what == _ACTIONS:
        return "action"
    return load_data_types(Settings.from_environment().schemas)[what].table or what
