from __future__ import annotations

from collections.abc import Callable

import pytest

from data_connections.catalog import Intent, Known, Plan, apply_specs
from data_connections.ledger import Ledger
from data_connections.spec import LoadedSpec, parse_spec

KNOWN = Known(
    programs=frozenset({"acme", "globex"}),
    data_types=frozenset({"conversions"}),
    reports=frozenset({"performance_by_day"}),
)
FILES = "files:connections"


@pytest.fixture
def known() -> Known:
    return KNOWN


@pytest.fixture
def make() -> Callable[..., LoadedSpec]:
    """Makes an inbound spec; arguments replace its fields, those of details by ``details``."""

    def build(name: str = "orders", **fields: object) -> LoadedSpec:
        details = {"host": "sftp.partner.example", "folder": "/outbox", "file_pattern": "*.csv"}
        details.update(fields.pop("details", {}))  # type: ignore[call-overload]
        content = {
            "name": name,
            "program": "acme",
            "data_type": "conversions",
            "direction": "inbound",
            "method": "sftp",
            "credentials": "acme-sftp",
            "details": details,
        }
        return LoadedSpec(parse_spec({**content, **fields}))

    return build


@pytest.fixture
def apply(ledger: Ledger) -> Callable[..., Plan]:
    """Applies specs as somebody's folder; keywords as of ``Intent``."""

    def run(*specs: LoadedSpec, source: str = FILES, who: str = "ada", **intent: bool) -> Plan:
        return apply_specs(ledger, specs, KNOWN, Intent(source, **intent), who)

    return run
