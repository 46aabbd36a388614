"""All DAGs, from the catalog's current revisions; one that cannot be built keeps its last one that could."""

from __future__ import annotations

import logging

import psycopg
from airflow.sdk import DAG, get_parsing_context

from dag_factory.dag import build_dag
from dag_factory.shards import Shard
from data_connections.catalog import StoredSpec, load_for_generation, record_builds
from data_connections.catalog.snapshot import TIMEOUT, within
from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.ledger import Ledger
from data_connections.postgres.ledger_address import LEDGER_DATABASE, embedded
from data_connections.settings import Settings

_log = logging.getLogger(__name__)


def generate_dags(shard: int = 1, shards: int = 1) -> dict[str, DAG]:
    """Return the DAGs by their id; while a task is started, only the one that it needs.

    Args:
        shard: Which share of the connections, from 1.
        shards: How many shares there are.

    Raises:
        LedgerUnavailable: The ledger does not answer, and there is no snapshot of an earlier time.
    """
    settings = Settings.from_environment()
    only = get_parsing_context().dag_id
    dags: dict[str, DAG] = {}
    refused: dict[int, str] = {}
    share = Shard(shard, shards)
    connections = [each for each in load_for_generation(settings, only) if share.holds(each.connection_id)]
    for stored in connections:
        try:
            dags[stored.name] = build_dag(stored.spec, stored.number, settings)
        except Exception as error:  # whatever it is, the other connections keep their DAGs
            refused[stored.connection_id] = _sentence(error)
            if (fallback := _last_built(stored, settings)) is not None:
                dags[stored.name] = fallback
    if only is None:
        _note(settings, connections, refused)
    return dags


def _last_built(stored: StoredSpec, settings: Settings) -> DAG | None:
    if stored.last_built is None:
        return None
    try:
        return build_dag(stored.last_built.spec, stored.last_built.number, settings)
    except Exception:
        _log.exception("Connection %s: its last revision that was built cannot be built any more.", stored.name)
        return None


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, ConnectionsError) else f"{type(error).__name__}: {error}"


def _note(settings: Settings, stored: list[StoredSpec], refused: dict[int, str]) -> None:
    """Tell the ledger which revisions were built and which refused, where it does not know yet."""
    built = {
        each.connection_id: each.number
        for each in stored
        if each.connection_id not in refused and (each.built_revision != each.number or each.refusal)
    }
    news = {each.connection_id: refused[each.connection_id] for each in stored if _is_news(each, refused)}
    if not built and not news:
        return
    url = settings.database_url or embedded(settings).url(LEDGER_DATABASE)
    try:
        within(TIMEOUT, lambda: record_builds(Ledger(url, timeout=int(TIMEOUT)), built, news))
    except (ConnectionsError, psycopg.Error, TimeoutError) as lost:
        _log.warning("Which revisions were built could not be noted in the ledger (%s); the next parse does.", lost)


def _is_news(stored: StoredSpec, refused: dict[int, str]) -> bool:
    return stored.connection_id in refused and stored.refusal != refused[stored.connection_id]


def refuse_aloud() -> None:
    """Raise one error that lists every connection whose newest revision could not be built.

    Raises:
        ConfigurationError: There are such connections.
        LedgerUnavailable: The ledger does not answer, and there is no snapshot of an earlier time.
    """
    refused = [each for each in load_for_generation(Settings.from_environment()) if each.refusal]
    if refused:
        lines = "\n".join(f"- {each.name}, revision {each.number}: {each.refusal}" for each in refused)
        raise ConfigurationError(
            f"No DAG could be made of {len(refused)} newest revisions; where there was an earlier one that could be "
            f"used, its DAG goes on. Mend the specs and apply them again.\n{lines}"
        )
