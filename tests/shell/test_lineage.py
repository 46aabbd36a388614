"""Names of our assets in OpenLineage, by the converters that Airflow finds where its OpenLineage provider asks."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.openlineage import facet
from airflow.sdk import Asset
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

from dag_factory.assets import ledger_asset, place_asset
from data_connections.spec import parse_spec
from fixtures.catalog import INBOUND, changed


class Dataset:
    """OpenLineage's client is in the image only where somebody installs it; a dataset is its two names."""

    def __init__(self, namespace: str, name: str) -> None:
        self.names = (namespace, name)


def named(asset: Asset) -> tuple[str, str]:
    uri = asset.normalized_uri
    assert uri is not None
    converters = ProvidersManagerTaskRuntime().asset_to_openlineage_converters
    found: Dataset = converters[uri.partition(":")[0]](Asset(uri), None)
    return found.names


def test_the_ledgers_tables_are_named_as_those_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facet, "Dataset", Dataset)
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", "postgresql://us:secret@db.example/books")
    orders, catalog = (parse_spec(changed(INBOUND, data_type=name)) for name in ("conversions", "product_catalog"))
    assert named(ledger_asset(orders)) == ("postgres://db.example:5432", "books.public.action")
    assert named(ledger_asset(catalog)) == ("postgres://db.example:5432", "books.public.catalog_item")
    assert named(place_asset(orders))[0].startswith("file://")
