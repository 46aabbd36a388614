"""A process of its own for one message: the library holds the interpreter while it works, and knows no bound of size.

It reads its task as JSON from standard input, so that no key stands on a command line, and answers in JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from pysequoia import Cert, Tsk, decrypt_file, encrypt_file, sign_file
from pysequoia import verify as verify_bytes

CLEAR_BYTES = 64 * 1024**2
"""Signed text may have as much; anything longer has to come as a signed message."""


def decrypt(task: dict[str, Any]) -> dict[str, Any]:
    """Open a message with the first key that fits, and say who is known to have signed it."""
    if task["most"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["most"], task["most"]))
    known = [Cert.from_bytes(text.encode()) for text in task["certificates"]]
    signers: list[str] = []

    def store(ids: list[str]) -> list[Cert]:
        signers.extend(ids)
        return known

    trouble = "No key to decrypt message"
    for text in task["secret"]:
        try:
            decryptor = Tsk.from_bytes(text.encode()).decryptor(task["passphrase"])
            done = decrypt_file(task["input"], task["output"], decryptor, store if task["signed"] else None)
            return {"signed_by": [signature.certificate for signature in done.valid_sigs], "signers": signers}
        except (RuntimeError, OSError) as failed:
            trouble = str(failed).splitlines()[0]
            if "No key to decrypt" not in trouble and "No suitable decryption" not in trouble:
                break
    return {"trouble": trouble, "signers": signers}


def verify(task: dict[str, Any]) -> dict[str, Any]:
    """Open a message that is only signed: any key of ours will do, for none is needed."""
    if task["clear"]:
        return read_clear(task)
    spare = str(Tsk.generate(user_id="nobody"))
    return decrypt({**task, "secret": [spare], "passphrase": None})


def read_clear(task: dict[str, Any]) -> dict[str, Any]:
    """Read signed text, which the library takes in memory only."""
    known = [Cert.from_bytes(text.encode()) for text in task["certificates"]]
    signers: list[str] = []

    def store(ids: list[str]) -> list[Cert]:
        signers.extend(ids)
        return known

    source = Path(task["input"])
    if source.stat().st_size > min(task["most"], CLEAR_BYTES):
        return {"trouble": "File too large", "signers": []}
    try:
        done = verify_bytes(source.read_bytes(), store)
    except (RuntimeError, OSError) as failed:
        return {"trouble": str(failed).splitlines()[0], "signers": signers}
    Path(task["output"]).write_bytes(done.bytes or b"")
    return {"signed_by": [signature.certificate for signature in done.valid_sigs], "signers": signers}


def encrypt(task: dict[str, Any]) -> dict[str, Any]:
    """Write a message: encrypted for every certificate, signed by the first secret key, or both."""
    recipients = [Cert.from_bytes(text.encode()) for text in task["certificates"]]
    signer = Tsk.from_bytes(task["secret"][0].encode()).signer(task["passphrase"]) if task["secret"] else None
    try:
        if recipients:
            encrypt_file(task["input"], task["output"], recipients, signer, armor=task["armor"])
        elif signer:
            sign_file(signer, task["input"], task["output"], armor=task["armor"])
    except (RuntimeError, OSError) as failed:
        return {"trouble": str(failed).splitlines()[0]}
    return {}


if __name__ == "__main__":
    job = json.load(sys.stdin)
    json.dump({"decrypt": decrypt, "verify": verify, "encrypt": encrypt}[job["do"]](job), sys.stdout)
