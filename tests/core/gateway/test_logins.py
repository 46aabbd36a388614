"""Logins at the gateway: what proves them, for how long, and what becomes of guessers."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import asyncssh
import pytest

from data_connections.errors import ConfigurationError, UnknownName
from data_connections.gateway.failed_logins import FailedLogins
from data_connections.gateway.logins import create_login, retire_login, rotate_login
from data_connections.gateway.passwords import generate_password, hash_password, is_password
from data_connections.gateway.public_keys import PublicKey, read_public_key
from data_connections.gateway.server_keys import ServerKeys
from data_connections.ledger import hosted_logins
from fixtures.hosting import PUSHED, Hosting, Partner, until

FORTNIGHT = timedelta(days=14)


@pytest.fixture
def partner(hosting: Hosting) -> Partner:
    return hosting.host(PUSHED)


async def lets_in(partner: Partner, **proof: object) -> bool:
    try:
        async with partner.connect(**proof) as connection, connection.start_sftp_client() as client:
            return await client.isdir("/test")
    except (asyncssh.PermissionDenied, asyncssh.ConnectionLost):
        return False


def test_a_password_is_kept_as_a_hash_that_tells_it_from_others() -> None:
    password = generate_password()
    kept = hash_password(password)
    assert password not in kept
    assert kept != hash_password(password)
    assert is_password(password, kept)
    assert not is_password(password + "x", kept)
    assert not is_password(password.upper(), kept)
    assert len({generate_password() for _ in range(1000)}) == 1000


async def test_names_of_logins_are_case_sensitive_and_never_used_twice(hosting: Hosting, partner: Partner) -> None:
    other = create_login(hosting.ledger, partner.connection_id, "ACME-pushed", "tests")
    hosting.refresh()
    assert await lets_in(partner)
    assert not await lets_in(partner, username="ACME-pushed")
    assert await lets_in(partner, username="ACME-pushed", password=other.password)
    retire_login(hosting.ledger, "ACME-pushed", "tests")
    for name in ("ACME-pushed", "acme-pushed"):
        with pytest.raises(ConfigurationError, match="never used twice"):
            create_login(hosting.ledger, partner.connection_id, name, "tests")
    with pytest.raises(UnknownName):
        rotate_login(hosting.ledger, "Acme-Pushed", "tests", overlap=FORTNIGHT)
    for name in ("", "-x", "a b", "a/b", "a\nb", "x" * 65):
        with pytest.raises(ConfigurationError, match="cannot be a login"):
            create_login(hosting.ledger, partner.connection_id, name, "tests")


async def test_two_passwords_are_valid_while_a_login_is_rotated_and_which_is_used_is_known(
    hosting: Hosting, partner: Partner
) -> None:
    old = partner.secret.password
    new = rotate_login(hosting.ledger, partner.secret.login, "tests", overlap=FORTNIGHT, label="autumn")
    hosting.refresh()
    assert await lets_in(partner, password=old)
    assert await lets_in(partner, password=new.password)
    assert await lets_in(partner, password=new.password)
    hosting.activity("login.used")
    first, second = hosted_logins.all_secrets(hosting.ledger, login=partner.secret.login)
    assert (first.uses, second.uses, second.label, second.last_used_from) == (1, 2, "autumn", "127.0.0.1")
    assert first.valid_until is not None
    assert abs(first.valid_until - datetime.now(UTC) - FORTNIGHT) < timedelta(minutes=1)
    with hosting.ledger.connect() as connection:
        connection.execute("update hosted_secret set valid_until = now() where id = %s", [first.id])
    hosting.refresh()
    assert not await lets_in(partner, password=old)
    assert await lets_in(partner, password=new.password)


async def test_a_retired_login_is_put_out_of_its_open_session(hosting: Hosting, partner: Partner) -> None:
    async with partner.connect() as connection:
        client = await connection.start_sftp_client()
        handle = await client.open("/orders.csv", "wb")
        await handle.write(b"half")
        retire_login(hosting.ledger, partner.secret.login, "tests")
        async with asyncio.timeout(60):
            await connection.wait_closed()
    assert not (partner.files / "orders.csv").exists()
    assert not await lets_in(partner)


async def test_one_of_two_keys_can_be_retired(hosting: Hosting) -> None:
    pairs = [asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-rsa", key_size=2048)]
    partner = hosting.host(PUSHED, key=PublicKey.of(pairs[0]))
    second = read_public_key(pairs[1].export_public_key("pkcs8-pem").decode())
    rotate_login(hosting.ledger, partner.secret.login, "tests", overlap=FORTNIGHT, key=second)
    hosting.refresh()
    assert [await lets_in(partner, client_keys=[pair], password=None) for pair in pairs] == [True, True]
    retire_login(hosting.ledger, partner.secret.login, "tests", secret_id=partner.secret.secret_id)
    hosting.refresh()
    assert [await lets_in(partner, client_keys=[pair], password=None) for pair in pairs] == [False, True]
    with pytest.raises(ConfigurationError, match="no password or key"):
        retire_login(hosting.ledger, partner.secret.login, "tests", secret_id=partner.secret.secret_id)


def test_keys_are_read_in_the_forms_that_partners_send() -> None:
    pair = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    forms = ("openssh", "pkcs8-pem", "rfc4716", "pkcs1-pem")
    read = {read_public_key(pair.export_public_key(form).decode()).text for form in forms}
    assert len(read) == 1
    for text, why in (
        (pair.export_private_key().decode(), "private key"),
        ("ssh-ed25519 AAAA", "no public key"),
        ("", "no public key"),
        (asyncssh.generate_private_key("ssh-rsa", key_size=1024).export_public_key().decode(), "too weak"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            read_public_key(text)


async def test_a_deleted_connection_lets_nobody_in(hosting: Hosting, partner: Partner) -> None:
    with hosting.ledger.connect() as connection:
        connection.execute("update connection set deleted_at = now()")
    hosting.refresh()
    assert not await lets_in(partner)


async def test_logins_and_transfers_work_while_the_ledger_does_not_answer(hosting: Hosting, partner: Partner) -> None:
    hosting.refresh()
    right = hosting.ledger.url
    hosting.ledger.url = "postgresql://nobody@127.0.0.1:1/none"
    try:
        async with partner.endpoint() as endpoint:
            await endpoint.upload("orders.csv", b"content")
    finally:
        hosting.ledger.url = right
    assert [entry["subject"] for entry in hosting.activity("file.uploaded")] == ["/orders.csv"]


async def test_failures_are_counted_and_written_down(
    hosting: Hosting, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_connections.gateway.failed_logins.FIRST_PAUSE", 0.001)
    assert not await lets_in(partner, password="wrong")
    assert not await lets_in(partner, username="no-such-login")
    await until(lambda: not hosting.gateway.reception.sessions())
    refused = hosting.activity("login.refused")
    assert [entry["subject"] for entry in refused] == ["acme-pushed", "no-such-login"]
    assert "wrong" not in str(refused)
    (secret,) = hosted_logins.all_secrets(hosting.ledger)
    assert secret.failures == 1
    assert hosting.gateway.reception.failed.count("127.0.0.1") == 2
    assert await lets_in(partner)
    assert hosting.gateway.reception.failed.count("127.0.0.1") == 0


def test_the_more_an_address_fails_the_longer_it_waits() -> None:
    now = [0.0]
    failed = FailedLogins(lambda: now[0])
    assert [failed.failed("a") for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    assert failed.failed("b") == 0.5
    now[0] = 1000.0
    assert failed.failed("a") == 0.5
    failed.succeeded("a")
    assert failed.count("a") == 0


async def test_a_new_host_key_is_told_before_it_is_used(hosting: Hosting, partner: Partner) -> None:
    keys = ServerKeys(hosting.configuration.state)
    old = keys.valid()[0]
    new = keys.rotate(FORTNIGHT)
    assert [key.public for key in keys.valid()] == [old.public, new.public]
    with pytest.raises(ConfigurationError, match="waits already"):
        keys.rotate(FORTNIGHT)
    assert await served_key(hosting) == old.public
    keys._write([keys._ended(keys.all()[0], datetime.now(UTC)), new])  # as it stands when the fortnight is over
    async with asyncio.timeout(60):
        while await served_key(hosting) != new.public:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(0.1)
    assert await lets_in(partner)
    assert old.private_file.stat().st_mode & 0o077 == 0


async def served_key(hosting: Hosting) -> str:
    """The host key that is shown now; while a key is changed, the gateway does not listen for a moment."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError, asyncssh.Error):
                if key := await asyncssh.get_server_host_key("127.0.0.1", hosting.port, config=None):
                    return PublicKey.of(key).text
            await asyncio.sleep(0.05)


async def test_a_gateway_that_runs_notes_that_it_is_at_work(hosting: Hosting) -> None:
    await until(lambda: hosting.ledger.all("select part from sign_of_life") == [{"part": "gateway"}])
