"""Credentials: stored by page and API, never shown, renewed without losing a part, servers trusted by fingerprint."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from data_connections.endpoints.host_keys import fetch_host_keys
from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, apply_to, changed
from local_stack.partner_sftp import PartnerServer

pytestmark = pytest.mark.airflow


@pytest.fixture
def acme(ledger: Ledger, sftp_partner: PartnerServer) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
    place = {"host": "127.0.0.1", "port": sftp_partner.port}
    apply_to(ledger, changed(INBOUND, credentials="page-sftp", details=place))
    return ledger


@pytest.fixture(autouse=True)
def no_logins_left(airflow_database: None):
    yield
    from airflow.models import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id.like("page-%")).delete()


def kept(name: str) -> dict[str, object]:
    from airflow.models import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        row = session.query(Connection).filter(Connection.conn_id == name).one()
        return {"type": row.conn_type, "login": row.login, "password": row.password, **row.extra_dejson}


def test_the_api_stores_parts_and_keeps_the_others(client, acme):
    api = client("admin")
    api.headers["accept"] = "application/json"
    certificate = "sha256:" + "a" * 64
    first = {"login": "us", "password": "geheim-1", "server": "ftp", "certificate": certificate}
    ends = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert api.put("api/v1/credentials/page-ftp", json={**first, "expires_on": ends}).json()["public_key"] is None
    second = {"json": {"password": "geheim-2"}}
    assert api.put("api/v1/credentials/page-ftp", **second).status_code == 428
    seen = {"if-match": api.get("api/v1/credentials/page-ftp").headers["etag"]}
    assert api.put("api/v1/credentials/page-ftp", **second, headers=seen).status_code == 200
    assert api.put("api/v1/credentials/page-ftp", **second, headers=seen).status_code == 409
    assert kept("page-ftp") == {
        "type": "ftp",
        "login": "us",
        "password": "geheim-2",
        "certificate": certificate,
        "expires_on": ends,
    }
    shown = api.get("api/v1/credentials/page-ftp")
    assert shown.json()["ends_soon"] is True
    assert "geheim" not in shown.text + api.get("api/v1/credentials").text
    key = api.put("api/v1/credentials/page-key", json={"login": "us", "kind": "new_key"})
    assert key.json()["public_key"].startswith("ssh-ed25519 ")
    assert api.put("api/v1/credentials/page-bad", json={"login": "us"}).status_code == 422
    assert api.delete("api/v1/credentials/page-key").status_code == 204
    assert api.delete("api/v1/credentials/page-key").status_code == 404
    assert client("user").put("api/v1/credentials/page-ftp", json=first).status_code == 403


def test_a_servers_fingerprint_is_asked_for_compared_and_trusted(client, acme, sftp_partner):
    admin = client("admin")
    admin.post("credentials/store", data={"name": "page-sftp", "login": "us", "password": "x", "host_key": ""})
    real = asyncio.run(fetch_host_keys("127.0.0.1", sftp_partner.port))[0]
    asked = admin.post("credentials/page-sftp/servers")
    assert asked.status_code == 200, asked.text
    assert real.fingerprint in asked.text
    assert admin.post("credentials/page-sftp/trust", data={"public": "no key"}).status_code == 409
    assert admin.post("credentials/page-sftp/trust", data={"public": real.public}).status_code == 303
    assert kept("page-sftp")["host_key"] == real.public
    assert real.fingerprint in admin.get("credentials/page-sftp").text
    assert ">Trusted<" in admin.post("credentials/page-sftp/servers").text
    assert admin.post("credentials/page-sftp/delete").status_code == 409
    assert admin.post("credentials/page-sftp/distrust", data={"public": real.public}).status_code == 303
    assert "host_key" not in kept("page-sftp")
    viewer = client("viewer")
    assert "page-sftp" in viewer.get("credentials/page-sftp").text
    assert viewer.post("credentials/page-sftp/servers").status_code == 403
