"""Mails as partners' programs write them: every file in them is found, byte for byte, or said to be damaged."""

from __future__ import annotations

import base64
import io
import zipfile

import pytest

from data_connections.endpoints.mail_message import Mail, read_mail

CSV = b"OrderId,Amount\r\n1,\xe2\x82\xac5\r\n"
HEAD = b"From: Partner <files@partner.test>\r\nTo: us@example.test\r\nMIME-Version: 1.0\r\n"


def mixed(*parts: bytes, head: bytes = HEAD, end: bytes = b"--b--\r\n") -> bytes:
    """A mail of several parts, each with headers and content."""
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + body + end


def part(content: bytes, *, name: bytes = b"orders.csv", encoding: bytes = b"8bit", kind: bytes = b"text/csv") -> bytes:
    headers = b"Content-Type: %s\r\nContent-Disposition: attachment; filename=%s\r\n" % (kind, name)
    return headers + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + content


TEXT = b"Content-Type: text/plain\r\n\r\nHello"


def files(mail: Mail) -> list[tuple[str, str, bytes]]:
    assert not any(each.is_damaged for each in mail.attachments)
    return [(each.section, each.name, each.content) for each in mail.attachments]


def test_the_text_of_a_mail_is_no_file_and_attachments_are_numbered_as_imap_does() -> None:
    mail = read_mail(mixed(TEXT, part(CSV), part(b"x", name=b"more.csv")))
    assert files(mail) == [("2", "orders.csv", CSV), ("3", "more.csv", b"x")]


@pytest.mark.parametrize(
    "content", [CSV, b"Zo\xeb,\x80\xff\r\n", b"a\rb\x0bc\x0cd\x1ce\x85f\r\n", b"one\ntwo\n\n", b""]
)
@pytest.mark.parametrize("encoding", [b"8bit", b"binary", b"", b"7bit"])
def test_eight_bit_content_is_byte_for_byte(content: bytes, encoding: bytes) -> None:
    assert files(read_mail(mixed(part(content, encoding=encoding)))) == [("1", "orders.csv", content)]


@pytest.mark.parametrize("encoding", [b"base64", b"BASE64 ", b"base64\t", b"base64; x"])
def test_an_encoding_is_understood_however_it_is_written(encoding: bytes) -> None:
    assert files(read_mail(mixed(part(base64.encodebytes(CSV), encoding=encoding)))) == [("1", "orders.csv", CSV)]


def test_quoted_printable() -> None:
    mail = read_mail(mixed(part(b"1,=E2=82=AC5=\r\n0\r\n", encoding=b"quoted-printable")))
    assert files(mail)[0][2] == "1,€50\r\n".encode()


def test_a_mail_of_a_single_part_is_the_file() -> None:
    raw = HEAD + part(base64.encodebytes(CSV), encoding=b"base64")
    assert files(read_mail(raw)) == [("1", "orders.csv", CSV)]


def test_a_part_without_disposition_is_named_by_its_type_or_by_its_place() -> None:
    named = b'Content-Type: application/octet-stream; name="orders.csv"\r\n\r\n' + CSV
    nameless = b"Content-Type: text/csv\r\n\r\n" + CSV
    unknown = b"Content-Type: application/x-nobody-knows\r\n\r\nx"
    mail = read_mail(mixed(TEXT, named, nameless, unknown))
    assert [(each.section, each.name) for each in mail.attachments] == [
        ("2", "orders.csv"),
        ("3", "part-3.csv"),
        ("4", "part-4"),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b'"=?utf-8?B?Wm/Dqy5jc3Y=?="', "Zoë.csv"),
        (b'"=?iso-8859-1?Q?Zo=EB.csv?="', "Zoë.csv"),
        (b'"=?utf-8?Q?orders=5F?= =?utf-8?Q?1.csv?="', "orders_1.csv"),
        (b'"=?x-unknown?B?Wm/Dqy5jc3Y=?="', "Zoë.csv"),
        (b'"=?utf-8?B?!!!?="', "=?utf-8?B?!!!?="),
        (b'"Zo\xc3\xab.csv"', "Zoë.csv"),
        (b'"Zo\xeb.csv"', "Zo\u201bEB.csv"),
        (b"../../etc/passwd", "..\u201b2F..\u201b2Fetc\u201b2Fpasswd"),
    ],
)
def test_names_in_every_encoding(written: bytes, read: str) -> None:
    (attachment,) = read_mail(mixed(part(CSV, name=written))).attachments
    assert attachment.name == read
    assert attachment.content == CSV


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"filename*=utf-8''Zo%C3%AB.csv", "Zoë.csv"),
        (b"filename*0*=utf-8''Zo%C3;\r\n filename*1*=%AB;\r\n filename*2=.csv", "Zoë.csv"),
        (b"filename*=x-unknown''Zo%C3%AB.csv", "Zo"),
        (b"filename*=utf-8''%FF%FE.csv", "\ufffd\ufffd.csv"),
    ],
)
def test_names_by_rfc_2231(written: bytes, read: str) -> None:
    raw = mixed(b"Content-Type: text/csv\r\nContent-Disposition: attachment; " + written + b"\r\n\r\n" + CSV)
    (attachment,) = read_mail(raw).attachments
    assert attachment.name.startswith(read)
    assert attachment.name
    assert attachment.content == CSV


def test_the_same_name_twice_is_two_files() -> None:
    assert [each.section for each in read_mail(mixed(part(b"1"), part(b"2"))).attachments] == ["1", "2"]


def test_a_forwarded_mail_is_looked_into() -> None:
    inner = mixed(TEXT, part(CSV)).replace(b'"b"', b'"c"').replace(b"--b", b"--c")
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inner
    assert files(read_mail(mixed(TEXT, forwarded))) == [("2.2", "orders.csv", CSV)]
    encoded = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(inner)
    assert files(read_mail(mixed(TEXT, encoded))) == [("2.2", "orders.csv", CSV)]


def test_a_zipped_file_is_handed_on_as_it_is() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("orders.csv", CSV)
    zipped = part(
        base64.encodebytes(packed.getvalue()), name=b"orders.zip", encoding=b"base64", kind=b"application/zip"
    )
    assert files(read_mail(mixed(zipped))) == [("1", "orders.zip", packed.getvalue())]


def test_an_empty_subject_and_body() -> None:
    mail = read_mail(b"Subject:\r\n" + mixed(b"Content-Type: text/plain\r\n\r\n", part(CSV)))
    assert (mail.subject, files(mail)) == ("", [("2", "orders.csv", CSV)])
    assert read_mail(b"").attachments == ()
    assert read_mail(HEAD + b"\r\n").attachments == ()


@pytest.mark.parametrize(
    "raw",
    [
        mixed(part(base64.b64encode(CSV)[:-3], encoding=b"base64")),
        mixed(part(base64.b64encode(CSV)[:-1], encoding=b"base64")),
        mixed(part(base64.b64encode(CSV) + b"\r\n-- \r\nlist footer!", encoding=b"base64")),
        mixed(part(CSV, encoding=b"x-unknown")),
        mixed(part(CSV), end=b""),
    ],
)
def test_what_is_not_whole_is_said_to_be_damaged(raw: bytes) -> None:
    (attachment,) = read_mail(raw).attachments
    assert attachment.is_damaged


def test_a_mail_that_ends_early_damages_its_last_file_only() -> None:
    mail = read_mail(mixed(part(b"1"), part(b"2"), end=b""))
    assert [each.is_damaged for each in mail.attachments] == [False, True]


def test_parts_without_end_are_refused() -> None:
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 30 + TEXT
    with pytest.raises(ValueError, match="nested"):
        read_mail(HEAD + nested)
    with pytest.raises(ValueError, match="attachments"):
        read_mail(mixed(*[part(b"x")] * 1100))


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        (b"From: files@partner.test", "files@partner.test"),
        (b'From: "Partner, the" <Files@Partner.test>', "files@partner.test"),
        (b"From: =?utf-8?B?Wm/Dqw==?= <files@partner.test>", "files@partner.test"),
        (b"From: files@partner.test, evil@x.test", ""),
        (b"From: files@partner.test\r\nFrom: evil@x.test", ""),
        (b"From: files@partner.test)<evil@x.test>", ""),
        (b'From: "files@partner.test" <evil@x.test>', "evil@x.test"),
        (b"From: files@partner.test <evil@x.test>", ""),
        (b"From: nobody", ""),
        (b"From: \xff\xfe <evil\xff@x.test>", ""),
        (b"Subject: x", ""),
    ],
)
def test_the_sender_is_the_one_address_in_from(header: bytes, sender: str) -> None:
    assert read_mail(header + b"\r\n\r\nhello").sender == sender


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_headers_that_would_take_minutes_are_refused(end: bytes) -> None:
    endless = b'Content-Type: text/plain; a="' + b'\\";' * 1_000_000
    for raw in (endless + end + end, b"X: y" + end + endless, b"X: y" + end + endless[:20] + end + b" " + endless[20:]):
        with pytest.raises(ValueError, match="too long"):
            read_mail(raw)


def test_a_subject_or_a_sender_without_end_is_cut_short_or_none() -> None:
    mail = read_mail(b"From: " + b"a" * 1_000_000 + b"@b.test\r\nSubject: " + b"s " * 1_000_000 + b"\r\n\r\nx")
    assert (mail.sender, len(mail.subject)) == ("", 300)
