"""Whether the gateway believes who a mail says it is from."""

from __future__ import annotations

import pytest

from data_connections.endpoints.mail_rules import is_proven
from data_connections.gateway.sender_proof import KeysUnavailable, SenderProof
from data_connections.spec.mailbox import GATEWAY_VERIFIER
from fixtures.name_server import NameServer
from fixtures.signing import Signer

MAIL = (
    b"From: Files <files@acme.test>\r\nTo: us@in.test\r\nSubject: orders\r\nContent-Type: text/plain\r\n\r\n1,2,3\r\n"
)
SENDER = "files@acme.test"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer("acme.test")


@pytest.fixture
def proof(name_server: NameServer, signer: Signer) -> SenderProof:
    signer.publish(name_server)
    return SenderProof(name_server.address)


def believes(proof: SenderProof, mail: bytes, sender: str = SENDER) -> bool:
    return is_proven(sender, [proof.verdict(mail)], GATEWAY_VERIFIER)


def test_a_signature_of_the_senders_domain_proves_it(proof: SenderProof, signer: Signer) -> None:
    signed = signer.sign(MAIL)
    assert proof.verdict(signed) == "connections-gateway; dkim=pass header.d=acme.test"
    assert believes(proof, signed)
    assert believes(proof, signed, "files@eu.acme.test"), "a domain stands for those below it"
    assert not believes(proof, signed, "files@evil.test")
    assert believes(proof, b"Received: by a mail server of ours\r\n" + signed), "forwarded as it is"


def test_what_is_not_signed_or_was_changed_proves_nothing(
    proof: SenderProof, signer: Signer, name_server: NameServer
) -> None:
    assert proof.verdict(MAIL) == "connections-gateway; dkim=none"
    signed = signer.sign(MAIL)
    for changed in (
        signed.replace(b"1,2,3", b"1,2,4"),
        signed.replace(b"files@", b"boss@"),
        signed.replace(b"d=acme.test", b"d=globex.test"),
        signed.replace(b"text/plain", b"text/other"),
        signed + b"more\r\n",
        b"DKIM-Signature: v=1; nonsense\r\n" + MAIL,
        b"DKIM-Signature: \xff\xfe\r\n" + MAIL,
        b"",
        b"\r\n",
        b"no header at all",
    ):
        assert not believes(proof, changed), changed[:200]
    name_server.texts.clear()
    assert not believes(proof, signed)


def test_a_second_from_line_proves_nothing(proof: SenderProof, signer: Signer) -> None:
    """Neither above nor below, nor behind a bare CR, where programs do not agree on what a line is."""
    from data_connections.endpoints.mail_message import read_mail

    signed = signer.sign(MAIL.replace(b"acme.test", b"evil.test"))
    for forged in (
        b"From: files@acme.test\r\n" + signed,
        b"X-Other: x\rFrom: files@acme.test\r\n" + signed,
        signed.replace(b"Subject:", b"From: files@acme.test\r\nSubject:", 1),
    ):
        assert not believes(proof, forged, read_mail(forged).sender)


def test_a_signature_that_leaves_the_end_open_proves_nothing(proof: SenderProof, signer: Signer) -> None:
    signed = signer.sign(MAIL, length=True)
    assert b"l=7" in signed
    assert not believes(proof, signed)
    assert not believes(proof, signed + b"added by somebody else\r\n")


def test_a_name_server_that_does_not_answer_decides_nothing(
    proof: SenderProof, signer: Signer, name_server: NameServer
) -> None:
    name_server.is_broken = True
    with pytest.raises(KeysUnavailable):
        proof.verdict(signer.sign(MAIL))


def test_only_a_few_signatures_are_looked_at(proof: SenderProof, signer: Signer, name_server: NameServer) -> None:
    signature = signer.sign(MAIL)[: -len(MAIL)]
    proof.verdict(signature * 50 + MAIL.replace(b"1,2,3", b"1,2,4"))
    assert len(name_server.asked) == 5


def test_it_is_looked_at_in_a_process_that_can_be_ended(
    proof: SenderProof, signer: Signer, name_server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of blanks take the square of their length."""
    signed = signer.sign(MAIL)
    assert proof.apart(signed) == proof.verdict(signed)
    name_server.is_broken = True
    with pytest.raises(KeysUnavailable, match="cannot be looked up"):
        proof.apart(signed)
    monkeypatch.setattr("data_connections.gateway.sender_proof.WITHIN", 0.01)
    with pytest.raises(KeysUnavailable, match="not within"):
        proof.apart(signed + (b" " * 90_000 + b"x\r\n") * 500)
