"""Whose files are taken: only what our own mail server says proves a sender."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data_connections.endpoints.arrival import Reason
from data_connections.endpoints.mail_rules import MailFile, MailRules, is_proven
from data_connections.spec.file_pattern import FilePattern

US = "mx.example.test"


@pytest.mark.parametrize(
    ("results", "proven"),
    [
        ([f"{US}; dmarc=pass header.from=partner.test"], True),
        ([f"{US} 1; dkim=pass (2048-bit key) header.d=partner.test"], True),
        ([f"{US.upper()}; dkim=pass header.i=@partner.test header.s=a"], True),
        ([f"{US}; spf=pass smtp.mailfrom=bounce@partner.test"], True),
        ([f"{US}; spf=fail smtp.mailfrom=x@partner.test; dkim=pass header.d=partner.test"], True),
        ([f"{US}; dkim=pass header.d=evil.test"], False),
        ([f"{US}; dkim=pass header.d=test"], False),
        ([f"{US}; dkim=pass header.d=notpartner.test"], False),
        ([f"{US}; dkim=fail header.d=partner.test"], False),
        ([f"{US}; spf=pass smtp.mailfrom=x@mail.evil.test"], False),
        ([f"{US}; spf=pass smtp.helo=partner.test"], False),
        ([f"{US}; dmarc=fail header.from=partner.test; dkim=pass header.d=partner.test"], False),
        ([f"{US}; dmarc=pass header.from=evil.test"], False),
        ([f'{US}; spf=fail smtp.mailfrom="x; dmarc=pass header.from=partner.test"'], False),
        ([f"{US}; spf=none (dmarc=pass header.from=partner.test)"], False),
        ([f"{US}; none"], False),
        ([f"{US}; ==;garbage"], False),
        ([f"{US}"], False),
        (["mx.evil.test; dmarc=pass header.from=partner.test"], False),
        (["mx.evil.test; x=y", f"{US}; dmarc=pass header.from=partner.test"], True),
        ([f"{US}; dmarc=fail header.from=partner.test", f"{US}; dmarc=pass header.from=partner.test"], False),
        ([f"{US}; ==garbage", f"{US}; dmarc=pass header.from=partner.test"], False),
        ([f"{US}.evil.test; dmarc=pass header.from=partner.test"], False),
        ([], False),
    ],
)
def test_only_the_topmost_header_of_our_own_server_proves_a_sender(results: list[str], proven: bool) -> None:
    assert is_proven("files@partner.test", results, US) is proven


def test_a_subdomain_may_be_signed_for_by_its_domain_and_nobody_is_nobody() -> None:
    assert is_proven("files@eu.partner.test", [f"{US}; dkim=pass header.d=partner.test"], US)
    assert not is_proven("files@partner.test", [f"{US}; dkim=pass header.d=eu.partner.test"], US)
    assert not is_proven("", [f"{US}; dmarc=pass header.from="], US)


def file(sender: str = "files@partner.test", *, proven: bool = True, problem: Reason | None = None) -> MailFile:
    domain = sender.partition("@")[2]
    results = (f"{US}; dmarc=pass header.from={domain}",) if proven else ()
    return MailFile("INBOX;UIDVALIDITY=1/;UID=1", "a.csv", 1, datetime.now(UTC), sender, results, problem)


def test_an_address_or_its_domain_is_listed() -> None:
    rules = MailRules(FilePattern("*.csv"), senders=("files@partner.test", "@other.test"), authserv_id=US)
    assert rules.refusal(file()) is None
    assert rules.refusal(file("anyone@other.test")) is None
    assert rules.refusal(file("else@partner.test")) is Reason.SENDER_REFUSED
    assert rules.refusal(file("x@sub.other.test")) is Reason.SENDER_REFUSED
    assert rules.refusal(file(proven=False)) is Reason.SENDER_UNPROVEN
    assert rules.refusal(file(problem=Reason.LARGE_MAIL)) is Reason.LARGE_MAIL


def test_without_a_list_anybody_may_send() -> None:
    rules = MailRules(FilePattern("*.csv"))
    assert rules.refusal(file(proven=False)) is None
    assert rules.refusal(file(problem=Reason.DAMAGED)) is Reason.DAMAGED
    assert rules.objection("~a.csv") is None
    assert rules.objection("result_a.csv") is Reason.RESERVED
    assert rules.objection("a\u201b2Fb.csv") is Reason.UNSAFE_NAME
