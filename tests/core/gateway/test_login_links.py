"""Links in mails that show login details once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from data_connections.endpoints.mail_message import read_mail
from data_connections.endpoints.mail_writing import Letter
from data_connections.errors import ConfigurationError
from data_connections.gateway.certificate import gateway_certificate
from data_connections.gateway.configuration import GatewayAddress
from data_connections.gateway.login_links import mail_link
from data_connections.gateway.logins import retire_login
from data_connections.gateway.public_keys import read_public_key
from data_connections.ledger import Ledger, hosted_logins
from fixtures.catalog import changed
from fixtures.hosting import MAILED, PUSHED, Hosting, Partner

WHO = "partner-it@acme.test"


@pytest.fixture
def web(ledger: Ledger, tmp_path: Path) -> Iterator[Hosting]:
    """A gateway that serves the page."""
    hosting = Hosting(ledger, tmp_path / "home", {"https_port": 0}).start()
    yield hosting
    hosting.stop()


class Mailed:
    """A link that was mailed, and a browser that trusts the gateway's own certificate and keeps no connection."""

    def __init__(self, hosting: Hosting, login: str, **order: Any) -> None:
        letters: list[Letter] = []
        order = {"address": hosting.gateway.address.links, "sender": "us@ours.test", "send": letters.append, **order}
        mail_link(hosting.ledger, login, WHO, "tests", **order)
        self.letter = letters[0]
        (self.link,) = re.findall(r"https://\S+", "\n".join(self.letter.lines))
        trusted, none_kept = str(gateway_certificate(hosting.configuration)), httpx.Limits(max_keepalive_connections=0)
        self.browser = httpx.Client(verify=trusted, timeout=60, limits=none_kept)

    def look(self) -> httpx.Response:
        return self.browser.get(self.link)

    def open(self) -> httpx.Response:
        return self.browser.post(self.link)


def password_in(page: httpx.Response) -> str:
    (found,) = re.findall(r'<pre tabindex="0">([a-z0-9-]+)</pre>', page.text)
    return str(found)


async def lets_in(partner: Partner, password: str) -> bool:
    async with partner.endpoint(password=password) as endpoint:
        return await endpoint.list("/") == []


async def test_a_link_shows_a_new_password_once(web: Hosting) -> None:
    partner = web.host(PUSHED)
    mailed = Mailed(web, partner.secret.login)
    assert read_mail(mailed.letter.as_bytes()).subject == "Your login acme-pushed for file transfers"
    assert partner.secret.password not in str(mailed.letter)
    for _ in range(2):
        looked = mailed.look()
        assert (looked.status_code, "Show them, once" in looked.text) == (200, True), "looking does not use it"
        assert looked.headers["cache-control"] == "no-store"
    opened = mailed.open()
    password = password_in(opened)
    assert partner.host_keys[0] not in opened.text
    for told in (
        f"sftp://acme-pushed@localhost:{web.port}/",
        web.gateway.keys.valid()[0].fingerprint,
        "/test",
        "*.csv",
    ):
        assert told in opened.text
    web.refresh()
    assert await lets_in(partner, password)
    for again in (mailed.open(), mailed.look()):
        assert (again.status_code, "was used already" in again.text, password in again.text) == (410, True, False)
    kept = web.ledger.all("select * from hosted_link") + web.ledger.all("select * from hosted_secret")
    assert password not in str(kept)
    assert mailed.link.rpartition("/")[2] not in str(kept)
    assert [entry["details"]["recipient"] for entry in web.activity("login.link_used")] == [WHO]
    (again_entry,) = web.activity("login.link_tried_used")
    assert again_entry["details"]["address"] == "127.0.0.1"
    first, second = hosted_logins.all_secrets(web.ledger)
    assert first.retired_at is not None, "a password that nobody had used ends at once"
    assert second.label == f"link to {WHO}"


def test_links_end(web: Hosting) -> None:
    partner = web.host(PUSHED)
    late = Mailed(web, partner.secret.login, valid_for=timedelta(0))
    ended = Mailed(web, partner.secret.login)
    retire_login(web.ledger, partner.secret.login, "tests")
    for mailed in (late, ended):
        page = mailed.open()
        assert (page.status_code, "has ended" in page.text, "<pre" in page.text) == (410, True, False)
    assert len(web.activity("login.link_tried_expired")) == 2
    assert len(hosted_logins.all_secrets(web.ledger)) == 1


def test_guesses_find_nothing_and_get_slower(web: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_connections.gateway.failed_logins.FIRST_PAUSE", 0.001)
    mailed = Mailed(web, web.host(PUSHED).secret.login)
    for path in ("/login/x", "/login/%00", "/login/" + "x" * 3000, "/login/..%2f..%2fetc"):
        assert mailed.browser.post(web.gateway.address.links + path).status_code == 404
    assert web.gateway.reception.failed.count("127.0.0.1") == 3
    for path in ("/", "/docs", "/openapi.json", "/login/"):
        assert mailed.browser.get(web.gateway.address.links + path).status_code == 404


def test_keys_and_addresses_are_told_without_a_password(web: Hosting) -> None:
    import asyncssh

    pair = asyncssh.generate_private_key("ssh-ed25519")
    by_key = web.host(changed(PUSHED, name="by-key"), key=read_public_key(pair.export_public_key().decode()))
    by_mail = web.host(MAILED)
    for partner, told in ((by_key, "sftp://by-key@"), (by_mail, f"mailto:{by_mail.mail_address}")):
        page = Mailed(web, partner.secret.login).open()
        assert (page.status_code, told in page.text, "<pre" in page.text) == (200, True, False)
    assert len(hosted_logins.all_secrets(web.ledger)) == 2


def test_a_link_that_cannot_be_mailed_is_forgotten(web: Hosting) -> None:
    partner = web.host(PUSHED)

    def fail(letter: Letter) -> None:
        raise ConfigurationError("no such server")

    with pytest.raises(ConfigurationError, match="no such server"):
        mail_link(web.ledger, partner.secret.login, WHO, "tests", address="https://x", sender="us@x.test", send=fail)
    assert web.ledger.all("select from hosted_link") == []


def test_without_the_page_no_link_is_mailed() -> None:
    with pytest.raises(ConfigurationError, match="CONNECTIONS_GATEWAY_HTTPS_PORT"):
        _ = GatewayAddress("localhost", 22, 21).links
    assert (
        GatewayAddress("x.test", 22, 21, https_port=443, https_address="https://in.x.test").links == "https://in.x.test"
    )
