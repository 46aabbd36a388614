"""Files that are encrypted for us and signed by the partner, and reports that go out so: keys, refusals, overlap."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pysequoia import SignatureMode, Tsk, sign

from data_connections.errors import ConfigurationError, FileRefused
from data_connections.formats.openpgp import Keyring, is_message, open_message, write_message
from data_connections.formats.openpgp.keyring import describe, generate
from data_connections.ledger import Ledger
from data_connections.settings import Keep
from data_connections.steps import manual, replay
from data_connections.steps.retention import clean_up
from fixtures.desk import Desk
from fixtures.outbound import Outbound
from fixtures.sender import orders_file
from local_stack.partner_sftp import PartnerServer


@cache
def secret(user: str) -> str:
    return generate(user)


def public(user: str) -> str:
    return describe(secret(user), "test", None).public


@cache
def expired(user: str) -> str:
    """The library dates keys back by a minute, so that this one is over."""
    return str(Tsk.generate(user_id=user, validity_seconds=30))


OURS = Keyring("acme-pgp", (secret("old"), secret("new")), None, (public("partner"), public("next partner")))


class Sender:
    """A partner who writes messages, and a connection that takes them."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder = desk, folder

    def message(self, content: bytes, *, to: str = "new", by: str = "partner", **how: Any) -> bytes:
        plain, message = self.folder / "plain", self.folder / "message"
        plain.write_bytes(content)
        ring = Keyring("theirs", (secret(by),), None, (public(to),))
        write_message(plain, message, ring, **{"encrypt": True, "sign": True, "armor": False, **how})
        return message.read_bytes()

    def submit(self, content: bytes, name: str = "orders.csv.pgp", keys: Keyring = OURS, **pgp: Any) -> dict[str, Any]:
        self.desk.connect(pgp={"credentials": "acme-pgp", "signed": True, **pgp})
        return self.desk.submit(content, name, keys=lambda name: keys)


@pytest.fixture
def sender(desk: Desk, tmp_path: Path) -> Sender:
    return Sender(desk, tmp_path)


@pytest.mark.parametrize("armor", [False, True])
def test_a_message_is_opened_and_both_are_kept(sender: Sender, armor: bool) -> None:
    content = orders_file("A,1.00")
    message = sender.message(content, armor=armor)
    done = sender.submit(message)

    assert (done["state"], done["accepted"]) == ("applied", 1)
    row = sender.desk.ledger.one("select sha256, landing_key, message_key, signed_by from submission")
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert sender.desk.landing.open(row["message_key"]).read() == message
    assert row["signed_by"] == describe(secret("partner"), "test", None).fingerprint


@pytest.mark.parametrize("to", ["old", "new"])
@pytest.mark.parametrize("by", ["partner", "next partner"])
def test_two_keys_of_each_side_are_good_at_once(sender: Sender, to: str, by: str) -> None:
    assert sender.submit(sender.message(orders_file("A,1.00"), to=to, by=by))["state"] == "applied"


def test_an_opened_message_can_be_judged_again_and_one_that_was_not_too(sender: Sender) -> None:
    ledger, landing = sender.desk.ledger, sender.desk.landing
    opened = sender.submit(sender.message(orders_file("A,oops")))
    closed = sender.submit(sender.message(orders_file("B,1.00")), keys=Keyring("k", (expired("us"),)))
    assert closed["code"] == "PGP_KEY_EXPIRED"
    states = []
    for each in (opened, closed):
        again = replay.take_again(ledger, each["id"], who="tester")
        states.append(manual.finish(ledger, landing, again, keys=lambda name: OURS)["state"])
    assert states == ["partly_applied", "applied"]


def test_when_its_time_is_over_message_and_content_go(sender: Sender, tmp_path: Path) -> None:
    sender.submit(sender.message(orders_file("A,1.00")))
    originals = tmp_path / "landing" / "originals"
    assert len([path for path in originals.rglob("*") if path.is_file()]) == 2
    clean_up(sender.desk.ledger, sender.desk.landing, Keep(), datetime.now(UTC) + timedelta(days=91))
    assert [path for path in originals.rglob("*") if path.is_file()] == []


def test_a_plain_file_is_refused_although_its_rows_are_known(sender: Sender) -> None:
    sender.submit(sender.message(orders_file("A,1.00")))
    assert sender.submit(orders_file("A,1.00"))["code"] == "PGP_NOT_ENCRYPTED"


def test_the_same_rows_encrypted_anew_are_a_duplicate(sender: Sender) -> None:
    first = sender.submit(sender.message(orders_file("A,1.00")))
    second = sender.submit(sender.message(orders_file("A,1.00")), "again.pgp")
    assert (second["state"], second["duplicate_of"]) == ("duplicate", first["id"])


def _flipped(message: bytes) -> bytes:
    changed = bytearray(message)
    changed[-40] ^= 1
    return bytes(changed)


def test_what_is_not_as_agreed_is_refused_with_its_reason(sender: Sender) -> None:
    content = orders_file("A,1.00")
    large = orders_file(*(f"L{number},1.00" for number in range(200_000)))
    cases = {
        "PGP_WRONG_KEY": sender.message(content, to="stranger"),
        "PGP_SIGNATURE": sender.message(content, by="stranger"),
        "PGP_NOT_SIGNED": sender.message(content, sign=False),
        "PGP_NOT_ENCRYPTED": content,
        "PGP_DAMAGED": _flipped(sender.message(content)),
    }
    found = {code: sender.submit(message)["code"] for code, message in cases.items()}
    assert found == {code: code for code in cases}
    assert sender.submit(sender.message(content, encrypt=False))["code"] == "PGP_NOT_ENCRYPTED"
    assert sender.submit(sender.message(content)[:-30])["code"] == "PGP_DAMAGED"
    assert sender.submit(sender.message(large, by="stranger"))["code"] == "PGP_SIGNATURE"
    assert sender.submit(sender.message(large)[:-30])["code"] == "PGP_DAMAGED"
    assert sender.desk.actions() == []


GNUPG = Path(__file__).parents[2] / "fixtures" / "gnupg"
"""Messages that GnuPG 2.2.40 wrote by its usual settings, which compress, and without; with the keys of both sides."""
WRITTEN = b"OrderId,Amount\nA,1.00\n"


@pytest.fixture
def of_gnupg() -> Keyring:
    keys = [(GNUPG / name).read_text() for name in ("our_secret_key.asc", "partner_key.asc")]
    return Keyring("k", (keys[0],), None, (keys[1],))


@pytest.mark.parametrize("message", ["signed", "encrypted_and_signed_uncompressed"])
def test_what_gnupg_signs_is_verified_compressed_or_not(message: str, of_gnupg: Keyring, tmp_path: Path) -> None:
    source, target = GNUPG / f"{message}.asc", tmp_path / "target"
    opened = open_message(source, target, of_gnupg, name="a.pgp", signed=True, most=1_000)
    assert opened.signed_by == describe(of_gnupg.certificates[0], "k", None).fingerprint
    assert target.read_bytes() == WRITTEN


def test_what_gnupg_compresses_inside_its_encryption_is_refused_where_signatures_count(
    of_gnupg: Keyring, tmp_path: Path
) -> None:
    source, target = GNUPG / "encrypted_and_signed.asc", tmp_path / "target"
    with pytest.raises(FileRefused, match=r"compressed inside its encryption.*gpg --compress-algo none") as refused:
        open_message(source, target, of_gnupg, name="a.pgp", signed=True, most=1_000)
    assert refused.value.code == "PGP_COMPRESSED"
    assert open_message(source, target, of_gnupg, name="a.pgp", signed=False, most=1_000).signed_by is None
    assert target.read_bytes() == WRITTEN


def compressed(message: bytes) -> bytes:
    """A message within a packet of compressed data."""
    packer = zlib.compressobj(wbits=-15)
    body = b"\x01" + packer.compress(message) + packer.flush()
    return b"\xc8\xff" + len(body).to_bytes(4, "big") + body


def test_a_compressed_message_is_held_against_its_signature_and_its_bound(sender: Sender, tmp_path: Path) -> None:
    source, target, content = tmp_path / "source", tmp_path / "target", b"row\n" * 1_000

    def opened(by: str, most: int) -> str:
        source.write_bytes(compressed(sender.message(content, by=by, encrypt=False)))
        try:
            return open_message(source, target, OURS, name="a.pgp", signed=True, most=most).signed_by or ""
        except FileRefused as refused:
            return refused.code

    assert opened("partner", 4_000) == describe(secret("partner"), "test", None).fingerprint
    assert opened("stranger", 4_000) == "PGP_SIGNATURE"
    assert opened("partner", 3_999) == "PACKED_TOO_LARGE"


def test_a_signature_alone_is_enough_where_the_connection_says_so(sender: Sender) -> None:
    done = sender.submit(sender.message(orders_file("A,1.00"), encrypt=False), encrypted=False)
    assert done["state"] == "applied"
    assert sender.submit(orders_file("B,1.00"), encrypted=False)["code"] == "PGP_NOT_SIGNED"


def test_expired_keys_are_not_used_and_are_named(sender: Sender) -> None:
    message = sender.message(orders_file("A,1.00"))
    without = sender.submit(message, keys=Keyring("k", (expired("us"),), None, OURS.certificates))
    assert without["code"] == "PGP_KEY_EXPIRED"
    assert describe(expired("us"), "k", None).fingerprint in without["message"]
    gone = describe(expired("partner"), "k", None)
    unknown = sender.submit(message, keys=Keyring("k", OURS.secret, None, (gone.public,)))
    assert unknown["code"] == "PGP_SIGNATURE"
    assert f"{gone.fingerprint} expired on" in unknown["message"]
    beside = sender.submit(message, keys=Keyring("k", (expired("us"), *OURS.secret), None, OURS.certificates))
    assert beside["state"] == "applied"
    warnings = {warning["code"]: warning["message"] for warning in beside["file_warnings"]}
    assert "Send the partner a new public key" in warnings["PGP_KEY_EXPIRES"]


def test_a_key_that_cannot_be_read_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"A PGP key of k cannot be used"):
        Keyring("k", ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nnonsense\n",)).keys()


def test_what_comes_out_is_bounded(sender: Sender) -> None:
    message = compressed(sender.message(orders_file(*["A,1.00"] * 2_000), encrypt=False))
    sender.desk.connect(pgp={"credentials": "k", "signed": True, "encrypted": False}, limits={"max_bytes": 4_000})
    done = sender.desk.submit(message, "a.pgp", keys=lambda name: OURS)
    assert (done["state"], done["code"]) == ("quarantined", "PACKED_TOO_LARGE")


def test_kinds_of_messages_are_told_from_other_files(sender: Sender) -> None:
    content = orders_file("A,1.00")
    assert is_message(sender.message(content)) == "encrypted"
    assert is_message(sender.message(content, armor=True)) == "encrypted"
    assert is_message(sender.message(content, encrypt=False)) == "signed"
    assert is_message(b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n") == "signed"
    assert [is_message(head) for head in (content, b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xff\xfea\x00")] == [None] * 5


def test_signed_text_is_read(sender: Sender) -> None:
    signer = Tsk.from_bytes(secret("partner").encode()).signer()
    text = sign(signer, orders_file("A,1.00"), mode=SignatureMode.CLEAR)
    assert sender.submit(text, encrypted=False)["state"] == "applied"
    forged = sender.submit(text.replace(b"A,1.00", b"A,9.00"), encrypted=False)
    assert (forged["state"], forged["code"]) == ("quarantined", "PGP_SIGNATURE")


def test_a_report_goes_out_encrypted_and_signed(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    outbound.applied(
        details={"file_name": "report_{business_date}.csv.pgp"},
        pgp={"credentials": "acme-pgp", "sign": True},
        packaging={"manifest": True},
    )
    exported = outbound.export()
    checked = outbound.check(exported["delivery_id"], keys=lambda name: OURS)
    again = outbound.check(exported["delivery_id"], keys=lambda name: OURS)
    outbound.deliver(checked["delivery_id"])

    [name] = [name for name in outbound.names() if name.endswith(".pgp")]
    arrived = outbound.out / name
    assert hashlib.sha256(arrived.read_bytes()).hexdigest() == again["sha256"] == checked["sha256"]
    assert hashlib.md5(arrived.read_bytes()).hexdigest() in next(outbound.out.glob("*.manifest")).read_text()
    for partner in ("partner", "next partner"):
        ring = Keyring("theirs", (secret(partner),), None, (public("old"),))
        opened = open_message(arrived, tmp_path / "plain", ring, name=name, signed=True, most=10**6)
        assert opened.signed_by == describe(secret("old"), "k", None).fingerprint
        assert (tmp_path / "plain").read_bytes().startswith(b"Date,")


def test_a_report_is_not_sent_plain_when_there_is_no_key(
    ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer
) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    outbound.applied(pgp={"credentials": "acme-pgp"})
    exported = outbound.export()
    gone = describe(expired("partner"), "k", None).public
    with pytest.raises(ConfigurationError, match=r"no valid PGP key of the partner to encrypt for.* expired on"):
        outbound.check(exported["delivery_id"], keys=lambda name: Keyring("k", certificates=(gone,)))
    assert outbound.names() == []
