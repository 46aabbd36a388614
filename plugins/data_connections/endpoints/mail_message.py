"""One mail as bytes, and the files in it: read leniently, but nothing is taken for whole that is not.

Only the structure of MIME decides what is a file, never where a mail program would show it: a part of any kind but a
text without a name, at any depth, also in a mail that was forwarded as a whole.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import errors, message_from_bytes
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import collapse_rfc2231_value, getaddresses

from data_connections.endpoints.names import decode_name

DEEPEST = 20
MOST_PARTS = 1000
_ENCODINGS = ("", "7bit", "8bit", "binary", "base64", "quoted-printable")
_DAMAGE = (
    errors.InvalidBase64CharactersDefect,
    errors.InvalidBase64LengthDefect,
    errors.InvalidBase64PaddingDefect,
)
_TEXTS = ("text/plain", "text/html", "text/calendar", "text/enriched")
_NOT_FILES = ("message/delivery-status", "message/disposition-notification", "application/pgp-signature")
_ADDRESS = r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9.-]+"
_MAILBOX = re.compile(rf"""{_ADDRESS}|(?:[^<>"(),]*|"(?:[^"\\]|\\.)*")\s*<({_ADDRESS})>""")
_KINDS = re.compile(
    rb"(?:^|[\r\n])content-(?:type|disposition)[ \t]*:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*", re.IGNORECASE
)
LONGEST_KIND, MOST_KINDS = 2048, 5000
LONGEST_FROM, LONGEST_SUBJECT, LONGEST_LINE = 1000, 300, 3000
_BLANKS = re.compile(r"[\r\n]+[ \t]*")


@dataclass(frozen=True)
class Attachment:
    """A file in a mail.

    Attributes:
        section: Its place in the mail, as IMAP numbers parts: ``2``, or ``2.1`` in a mail that was forwarded.
        name: Its name, with what cannot be stored quoted (see ``names``).
        size: Bytes.
        content: The bytes, decoded.
        is_damaged: Whether bytes of it are missing, or not those that were sent.
    """

    section: str
    name: str
    size: int
    content: bytes
    is_damaged: bool


@dataclass(frozen=True)
class Mail:
    """What we need of a mail.

    Attributes:
        sender: The one address in From, in small letters; empty where there is none, or more than one.
        subject: The subject, decoded; it may be empty.
        results: The texts of ``Authentication-Results``, from the top.
        attachments: The files, in their order.
    """

    sender: str
    subject: str
    results: tuple[str, ...]
    attachments: tuple[Attachment, ...]


class _AsSent(Compat32):
    """Headers as they were sent, byte for byte, where the standard policy puts question marks for what is not ASCII."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


def read_mail(raw: bytes) -> Mail:
    """Return what is in a mail; whatever is wrong with it, what can be read is read.

    Raises:
        ValueError: It is nested too deeply, has too many parts, or headers too long to be a mail.
    """
    _refuse_endless(raw)
    message: Message = message_from_bytes(raw, policy=_AsSent())
    attachments = []
    for section, part, cut in _leaves(message, "", 0):
        attachment = _attachment(section, part, cut=cut)
        if attachment is not None:
            attachments.append(attachment)
        if len(attachments) > MOST_PARTS:
            raise ValueError(f"It has more than {MOST_PARTS:,} attachments.")
    results = message.get_all("Authentication-Results") or []
    subject = _decoded(message.get("Subject", "")[:LONGEST_LINE])[:LONGEST_SUBJECT]
    return Mail(_sender(message), subject, tuple(map(_one_line, results)), tuple(attachments))


def _refuse_endless(raw: bytes) -> None:
    """Refuse what the parser would need minutes for: its time grows with the square of such a header's length."""
    for number, header in enumerate(_KINDS.finditer(raw)):
        if len(header[0]) > LONGEST_KIND or number > MOST_KINDS:
            raise ValueError("Its headers are too long, or too many.")


def _leaves(part: Message, section: str, depth: int, *, cut: bool = False) -> Iterator[tuple[str, Message, bool]]:
    """Yield the parts without parts of their own, numbered as IMAP does, and whether the mail ends inside of them."""
    if depth > DEEPEST:
        raise ValueError(f"Its parts are nested more than {DEEPEST} deep.")
    if part.get_content_type() in _NOT_FILES:
        return
    if not part.is_multipart():
        yield section or "1", part, cut
        return
    inner = part.get_payload()
    assert isinstance(inner, list)  # noqa: S101 - that is what makes it multipart
    children = [each for each in inner if isinstance(each, Message)]
    if part.get_content_maintype() == "message":
        for forwarded in children:
            yield from _leaves(_forwarded(part, forwarded), section or "1", depth + 1, cut=cut)
        return
    open_end = cut or any(isinstance(defect, errors.CloseBoundaryNotFoundDefect) for defect in part.defects)
    for number, child in enumerate(children, start=1):
        place = f"{section}.{number}" if section else str(number)
        yield from _leaves(child, place, depth + 1, cut=open_end and number == len(children))


def _forwarded(part: Message, inner: Message) -> Message:
    """Return a mail inside of a mail; some programs encode it although they must not."""
    text = inner.get_payload()
    if _encoding(part) != "base64" or not isinstance(text, str):
        return inner
    decoded = base64.b64decode(_bytes(text), validate=False)
    return message_from_bytes(decoded, policy=_AsSent())


def _encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).partition(";")[0].strip().lower()


def _attachment(section: str, part: Message, *, cut: bool) -> Attachment | None:
    """Return the part as a file; None for the text of a mail."""
    name = _name(part)
    kind = part.get_content_type()
    if not name:
        if kind in _TEXTS or part.get_content_maintype() == "multipart":
            return None
        name = f"part-{section}{mimetypes.guess_extension(kind) or ''}"
    content, is_damaged = _content(part)
    return Attachment(section, decode_name(_bytes(name)), len(content), content, is_damaged or cut)


def _content(part: Message) -> tuple[bytes, bool]:
    """Return the bytes of a part, and whether they are certainly not those that were attached."""
    encoding, before = _encoding(part), len(part.defects)
    # A word with a blank after it is not what the standard library looks for; it would return the text undecoded.
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = encoding
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, binascii.Error):
        return b"", True
    if not isinstance(content, bytes):
        return b"", True
    damaged = any(isinstance(defect, _DAMAGE) for defect in part.defects[before:])
    return content, damaged or encoding not in _ENCODINGS


def _name(part: Message) -> str:
    for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
        try:
            value = part.get_param(parameter, None, header)
            name = _decoded(collapse_rfc2231_value(value)) if value is not None else ""
        except (ValueError, LookupError, TypeError):
            name = ""
        if name:
            return name
    return ""


def _decoded(text: str) -> str:
    """Return a header's text with its encoded words decoded; an encoding that nobody knows is taken for Latin-1."""
    text = _one_line(str(text))
    if "=?" not in text:
        return _readable(text)
    try:
        pieces = decode_header(text)
    except (ValueError, LookupError, errors.HeaderParseError):
        return _readable(text)
    return "".join(_piece(*piece) for piece in pieces).strip() or _readable(text)


def _piece(value: bytes | str, charset: str | None) -> str:
    if isinstance(value, str):
        return _readable(value)
    if charset is None:
        return _readable(value.decode("utf-8", "surrogateescape"))
    try:
        return value.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return value.decode("utf-8", "surrogateescape")


def _readable(text: str) -> str:
    """Return text that was sent as bytes outside of ASCII: as UTF-8 where it is that."""
    return _bytes(text).decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _one_line(text: str) -> str:
    return _BLANKS.sub(" ", str(text)).strip()


def _sender(message: Message) -> str:
    """Return the one address in From: no name beside it, and none of several, is taken for it."""
    lines = [line[: LONGEST_FROM + 1] for line in message.get_all("From") or []]
    found = getaddresses([_one_line(line) for line in lines])
    if len(lines) != 1 or len(found) != 1:
        return ""
    address = found[0][1].lower()
    # Python before 3.11.10 finds an address of the sender's making in what is none; whatever reads oddly is none.
    plain = _MAILBOX.fullmatch(_one_line(lines[0]).lower()) if len(lines[0]) <= LONGEST_FROM else None
    return address if plain is not None and (plain[1] or plain[0]) == address else ""
