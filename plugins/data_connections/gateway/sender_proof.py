"""Whether a mail is from whom it says: its DKIM signatures, compared with the keys that domains publish.

A signature outlives forwarding, so it holds where a mail server of our own stands before the gateway; what the
envelope or a header says of a sender proves nothing here.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator

import dkim
import dns.exception
import dns.resolver

from data_connections.spec.mailbox import GATEWAY_VERIFIER

WEAKEST_KEY = 1024
MOST_SIGNATURES = 5
PATIENCE = 5.0
WITHIN = 30.0
"""Seconds that the look at one mail may take."""

_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    """The name servers do not answer, so that nobody knows yet whether a signature is right."""


class SenderProof:
    """Looks at the signatures of mails; it blocks, so call it in a thread.

    Args:
        nameserver: ``address:port`` of the name server that is asked; the system's where None.
    """

    def __init__(self, nameserver: str | None = None) -> None:
        self._nameserver = nameserver

    def apart(self, mail: bytes) -> str:
        """Return the verdict of a process of its own: a mail can be made so that it takes hours.

        Raises:
            KeysUnavailable: It cannot be told now, or not in time.
        """
        command = [sys.executable, "-m", __spec__.name, self._nameserver or ""]
        try:
            done = subprocess.run(command, input=mail, capture_output=True, timeout=WITHIN, check=False)
        except subprocess.TimeoutExpired as late:
            raise KeysUnavailable(f"not within {WITHIN:.0f} s") from late
        if done.returncode:
            raise KeysUnavailable(done.stderr.decode(errors="replace")[-1000:])
        return done.stdout.decode("ascii")

    def verdict(self, mail: bytes) -> str:
        """Return the text of an ``Authentication-Results`` header about a mail as it came.

        Raises:
            KeysUnavailable: It cannot be told now.
        """
        signers = dict.fromkeys(self._signers(mail))
        results = [f"dkim=pass header.d={domain}" for domain in signers]
        return "; ".join([GATEWAY_VERIFIER, *(results or ["dkim=none"])])

    def _signers(self, mail: bytes) -> Iterator[str]:
        """Yield the domains whose signature is right and covers the mail to its end."""
        try:
            signed = dkim.DKIM(mail, minkey=WEAKEST_KEY, timeout=PATIENCE)
        except dkim.DKIMException:
            return
        signatures = sum(name.lower() == b"dkim-signature" for name, _ in signed.headers)
        for number in range(min(signatures, MOST_SIGNATURES)):
            if domain := self._signer(signed, number):
                yield domain

    def _signer(self, signed: dkim.DKIM, number: int) -> str | None:
        try:
            is_right = signed.verify(idx=number, dnsfunc=self._key)
        except KeysUnavailable:
            raise
        except Exception as odd:  # whatever a header does to the library, it proves nothing
            _log.info("A DKIM signature cannot be read: %r", odd)
            return None
        tags = signed.signature_fields
        if not is_right or b"l" in tags:
            # With l= anybody may add files to a mail that somebody else has signed.
            return None
        domain = tags.get(b"d", b"").decode("ascii", "replace").strip().lower()
        return domain if _DOMAIN.fullmatch(domain) else None

    def _key(self, name: bytes, timeout: float = PATIENCE) -> bytes | None:
        try:
            answer = self._resolver().resolve(name.decode("ascii"), "TXT", lifetime=timeout)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, UnicodeError, dns.exception.SyntaxError):
            return None
        except dns.exception.DNSException as unanswered:
            raise KeysUnavailable(str(unanswered)) from unanswered
        return b"".join(answer[0].strings)

    def _resolver(self) -> dns.resolver.Resolver:
        if self._nameserver is None:
            return dns.resolver.Resolver()
        host, _, port = self._nameserver.rpartition(":")
        asked = dns.resolver.Resolver(configure=False)
        asked.nameservers, asked.port = [host.strip("[]")], int(port)
        return asked


def main() -> None:
    """Say what is said of the mail at standard input."""
    try:
        sys.stdout.write(SenderProof(sys.argv[1] or None).verdict(sys.stdin.buffer.read()))
    except KeysUnavailable as unknown:
        sys.exit(f"The keys cannot be looked up: {unknown}")


if __name__ == "__main__":
    main()
