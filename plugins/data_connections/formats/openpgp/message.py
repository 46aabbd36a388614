"""Opening and writing OpenPGP messages, each from one file to another, in bounded memory."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from data_connections.errors import ConfigurationError, FileRefused
from data_connections.formats.openpgp.keyring import Key, Keyring

LONGEST = 3600
"""Seconds after which a message that is not opened or written yet is given up."""

_ENCRYPTED_TAGS = frozenset({1, 3, 9, 18, 20})
_SIGNED_TAGS = frozenset({2, 4, 8})
_ARMORED = b"-----BEGIN PGP MESSAGE-----"
_CLEAR = b"-----BEGIN PGP SIGNED MESSAGE-----"


@dataclass(frozen=True)
class Opened:
    """What is known of a message that was opened.

    Attributes:
        signed_by: Fingerprint of the partner's key that signed it; None where no signature was asked for.
    """

    signed_by: str | None


def is_message(head: bytes) -> Literal["encrypted", "signed"] | None:
    """Return what kind of OpenPGP message a file is that begins with ``head``; None for anything else."""
    start = head.lstrip()
    if start.startswith(_CLEAR):
        return "signed"
    tag = _first_tag(_dearmored(start) if start.startswith(_ARMORED) else head)
    return "encrypted" if tag in _ENCRYPTED_TAGS else "signed" if tag in _SIGNED_TAGS else None


def _first_tag(raw: bytes) -> int | None:
    if not raw or raw[0] < 0x80:
        return None
    return raw[0] & 0x3F if raw[0] & 0x40 else (raw[0] >> 2) & 0x0F


def _dearmored(armored: bytes) -> bytes:
    body = armored.replace(b"\r", b"").partition(b"\n\n")[2]
    try:
        return base64.b64decode(body.split(b"\n", 1)[0] + b"==")
    except binascii.Error:
        return b""


def open_message(source: Path, target: Path, keyring: Keyring, *, name: str, signed: bool, most: int) -> Opened:
    """Decrypt a message and check its signature; what it holds is then in ``target``.

    Nothing in ``target`` may be used when this raises.

    Args:
        source: The message.
        target: Where what it holds is written.
        keyring: Our keys, of which any that is valid may open it, and the partner's.
        name: The file's name, for messages.
        signed: Whether it has to be signed by a valid key of the partner's.
        most: Bytes that it may hold, counted as they come out.

    Raises:
        FileRefused: A code that begins with ``PGP_``, or PACKED_TOO_LARGE.
        ConfigurationError: The keys cannot be read.
    """
    now = datetime.now(UTC)
    keys = keyring.keys()
    with source.open("rb") as beginning:
        head = beginning.read(512)
    kind = is_message(head)
    secret = _valid(keys, keyring.secret, "ours", now)
    if kind == "encrypted" and not secret:
        raise _no_key(name, keys, now)
    answer = _ask(
        {
            "do": "decrypt" if kind == "encrypted" else "verify",
            "input": str(source),
            "output": str(target),
            "secret": secret,
            "passphrase": keyring.passphrase,
            "certificates": _valid(keys, keyring.certificates, "partner", now),
            "signed": signed,
            "clear": head.lstrip().startswith(_CLEAR),
            "most": most,
        }
    )
    if "trouble" in answer:
        raise _refusal(answer, name, keys, now, most)
    return Opened(answer["signed_by"][0].upper() if answer["signed_by"] else None)


def write_message(source: Path, target: Path, keyring: Keyring, *, encrypt: bool, sign: bool, armor: bool) -> None:
    """Write a message that holds a file: encrypted for every valid key of the partner's, signed by our first.

    Raises:
        ConfigurationError: There is no valid key for it, or the library cannot use one.
    """
    now = datetime.now(UTC)
    keys = keyring.keys()
    certificates = _valid(keys, keyring.certificates, "partner", now) if encrypt else []
    secret = _valid(keys, keyring.secret, "ours", now)[:1] if sign else []
    if encrypt and not certificates:
        raise ConfigurationError(
            f"{keyring.name} has no valid PGP key of the partner to encrypt for.{_ended(keys, 'partner', now)} "
            f"Add one: `connections credentials pgp add {keyring.name} FILE`."
        )
    if sign and not secret:
        raise ConfigurationError(
            f"{keyring.name} has no valid PGP key of ours to sign with.{_ended(keys, 'ours', now)} "
            f"Make one: `connections credentials pgp generate {keyring.name}`."
        )
    answer = _ask(
        {
            "do": "encrypt",
            "input": str(source),
            "output": str(target),
            "secret": secret,
            "passphrase": keyring.passphrase,
            "certificates": certificates,
            "armor": armor,
        }
    )
    if "trouble" in answer:
        raise ConfigurationError(f"The PGP keys of {keyring.name} cannot be used: {answer['trouble']}.")


def _ask(task: dict[str, Any]) -> dict[str, Any]:
    environment = {**os.environ, "RUST_BACKTRACE": "0", "RUST_LIB_BACKTRACE": "0"}
    child = Path(__file__).with_name("child.py")
    done = subprocess.run(
        [sys.executable, "-I", str(child)],
        input=json.dumps(task).encode(),
        capture_output=True,
        timeout=LONGEST,
        check=False,
        env=environment,
    )
    if done.returncode:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"])[-1]
        return {"trouble": last, "signers": []}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _valid(keys: Sequence[Key], texts: Sequence[str], whose: str, now: datetime) -> list[str]:
    described = [key for key in keys if key.whose == whose]
    return [text for key, text in zip(described, texts, strict=True) if key.is_valid(now)]


def _refusal(answer: dict[str, Any], name: str, keys: Sequence[Key], now: datetime, most: int) -> FileRefused:
    trouble = answer["trouble"]
    if "too large" in trouble.lower():
        return FileRefused("PACKED_TOO_LARGE", f"{name} holds more than {most:,} bytes. Split it.")
    if "No key to decrypt" in trouble or "No suitable decryption" in trouble:
        return _no_key(name, keys, now)
    if "Unexpected message structure" in trouble:
        return FileRefused(
            "PGP_COMPRESSED",
            f"{name} is compressed inside its encryption, and signatures of such messages cannot be checked here. "
            "Write it without, such as by `gpg --compress-algo none`.",
        )
    if "Signature verification failed" not in trouble:
        return FileRefused("PGP_DAMAGED", f"{name} was damaged or changed on its way ({trouble}). Send it again.")
    if not answer["signers"]:
        return FileRefused("PGP_NOT_SIGNED", f"{name} is not signed, and this connection takes signed files only.")
    ids = ", ".join(dict.fromkeys(each.upper() for each in answer["signers"]))
    return FileRefused(
        "PGP_SIGNATURE",
        f"{name} is signed by {ids}, which is no valid key that is stored for the partner: "
        f"{_listed(keys, 'partner', now)}.{_ended(keys, 'partner', now)} Compare the keys with the partner.",
    )


def _no_key(name: str, keys: Sequence[Key], now: datetime) -> FileRefused:
    valid = _listed(keys, "ours", now)
    code = "PGP_WRONG_KEY" if valid != "none" else "PGP_KEY_EXPIRED"
    return FileRefused(
        code,
        f"{name} is not encrypted for any of our valid keys: {valid}.{_ended(keys, 'ours', now)} Encrypt it for the "
        "public key that we gave, and send it again.",
    )


def _listed(keys: Sequence[Key], whose: str, now: datetime) -> str:
    return ", ".join(key.fingerprint for key in keys if key.whose == whose and key.is_valid(now)) or "none"


def _ended(keys: Sequence[Key], whose: str, now: datetime) -> str:
    ended = [key for key in keys if key.whose == whose and not key.is_valid(now)]
    return "".join(f" {key.fingerprint} expired on {key.expires:%Y-%m-%d}." for key in ended)
