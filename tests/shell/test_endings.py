"""What ends within a month is found wherever it is kept, told once a week, and told to be renewed."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from data_connections.catalog import current
from data_connections.formats.openpgp.keyring import describe, generate
from data_connections.gateway import logins
from data_connections.gateway.certificate import gateway_certificate
from data_connections.gateway.configuration import GatewayConfiguration
from data_connections.ledger import Ledger, endpoint_looks
from data_connections.ledger.endpoint_looks import Look
from data_connections.settings import Settings
from fixtures.catalog import INBOUND, Apply, changed
from fixtures.ftp_servers import make_certificate
from fixtures.mail_catcher import CaughtMails
from fixtures.screen_sample import HOSTED
from operators.upkeep import FindEndings

pytestmark = pytest.mark.usefixtures("airflow_ledger")
NOW = datetime.now(UTC)
SECRET = "hush hush"
WHOM = {"email": ["ops@example.test"]}


def find() -> list[str]:
    return FindEndings(task_id="find_endings").execute({})  # type: ignore[typeddict-item]


def in_days(days: int) -> date:
    return (NOW + timedelta(days=days)).date()


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stores credentials as Airflow does."""

    def store(name: str = "acme-sftp", **extra: Any) -> None:
        kept = {"conn_type": "sftp", "login": "us", "password": SECRET, "extra": extra}
        monkeypatch.setitem(os.environ, f"AIRFLOW_CONN_{name.upper()}", json.dumps(kept))

    return store


@pytest.fixture(autouse=True)
def _home(home: Path) -> None:
    """An installation without a gateway."""


def test_a_login_that_ends_is_told_once_a_week_and_that_it_was_renewed(
    apply: Apply, keep: Any, caught_mails: CaughtMails
) -> None:
    apply(changed(INBOUND, alerts=WHOM), changed(INBOUND, name="second", alerts=WHOM), changed(INBOUND, name="third"))
    keep(expires_on=in_days(31).isoformat())
    assert find() == []
    keep(expires_on=in_days(20).isoformat())
    assert f"ends on {in_days(21)}" in find()[0]
    find()
    assert caught_mails.subjects == [f"login acme-sftp ends on {in_days(21)}"]
    assert "acme-conversions, second, third" in caught_mails.bodies[0]
    with time_machine.travel(NOW + timedelta(days=8), tick=True):
        find()
    assert len(caught_mails.mails) == 2
    keep(expires_on=in_days(300).isoformat())
    assert find() == []
    assert caught_mails.subjects[2:] == ["Renewed: acme-sftp"]
    assert SECRET not in "".join(caught_mails.bodies)


def test_pgp_keys_end_when_the_last_of_them_does(apply: Apply, keep: Any) -> None:
    short, long = (generate("us@example.test", timedelta(days=days)) for days in (20, 200))
    partner = generate("them@partner.test", timedelta(days=10))
    public = describe(partner, "x", None).public
    apply(changed(INBOUND, pgp={"credentials": "keys"}))
    keep("keys", pgp_private_key=short + long, pgp_certificates=public)
    [text] = find()
    assert text.startswith(f"The partner's PGP key {describe(partner, 'x', None).fingerprint} of keys ends on")
    keep("keys", pgp_private_key=short)
    [text] = find()
    assert "Send the partner a new public key" in text


def test_certificates_of_servers_authorities_and_our_gateway(
    apply: Apply, keep: Any, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(INBOUND)
    authority = make_certificate(tmp_path, "authority.test").certificate
    keep(certificate_authorities=authority.read_text())
    with ledger.connect() as connection:
        look = Look("ftps://partner.test:21", True, "It works.", False, NOW + timedelta(days=5))
        endpoint_looks.record(connection, current(ledger, "acme-conversions").connection_id, look, NOW)
    made = gateway_certificate(GatewayConfiguration.from_environment(Settings.from_environment()))
    kinds = [text.partition(" ends ")[0] for text in find()]
    assert kinds == [
        "The certificate authority CN=authority.test of acme-sftp",
        "The certificate of ftps://partner.test:21",
    ]
    with time_machine.travel(NOW + timedelta(days=5 * 365 + 1)):
        ended = find()
    assert [text.partition(" on ")[0] for text in ended][-1] == "The certificate of our own gateway ended"
    assert str(made) in ended[-1]


def test_a_login_at_our_gateway_whose_last_proof_ends(apply: Apply, ledger: Ledger) -> None:
    apply(HOSTED)
    logins.create_login(ledger, current(ledger, "acme-hosted").connection_id, "partner", "tester")
    assert find() == []
    with ledger.connect() as connection:
        connection.execute("update hosted_secret set valid_until = now() + interval '3 days'")
    [text] = find()
    assert "the login partner here ends on" in text
    assert "rotate-login partner" in text
