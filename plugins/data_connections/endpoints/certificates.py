"""Server certificates: trusted through an authority, or pinned by their fingerprint."""

from __future__ import annotations

import errno
import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.names import shown
from data_connections.errors import ConfigurationError, FatalEndpointError


@dataclass(frozen=True)
class Certificate:
    """A server's certificate as people compare it.

    Attributes:
        fingerprint: ``sha256:`` and 64 hexadecimal digits: what ``Credentials.certificates`` takes.
        subject: Whom it names.
        issuer: Who vouches for it; itself where it is self-signed.
        valid_until: Its last moment, UTC.
    """

    fingerprint: str
    subject: str
    issuer: str
    valid_until: datetime

    @classmethod
    def of(cls, der: bytes) -> Certificate:
        """Return the certificate of these DER bytes."""
        read = x509.load_der_x509_certificate(der)
        return cls(
            fingerprint_of(der),
            shown(read.subject.rfc4514_string()),
            shown(read.issuer.rfc4514_string()),
            read.not_valid_after_utc.astimezone(UTC),
        )


def fingerprint_of(der: bytes) -> str:
    """Return ``sha256:...`` of a certificate's DER bytes."""
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


class _Connected(ssl.SSLSocket):
    """A connection to encrypt; one that was reset before is closed, which Python's own loses open."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError as lost:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "the connection was reset") from lost


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """Return what a TLS connection has to fulfil: TLS 1.2 or later, and a trusted or pinned certificate.

    Raises:
        ConfigurationError: The authorities in the credentials cannot be read.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = _Connected
    if credentials.certificates:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif credentials.authorities:
        try:
            context.load_verify_locations(cadata=credentials.authorities)
        except (ssl.SSLError, ValueError) as unreadable:
            raise ConfigurationError(
                "The certificate authorities in the credentials cannot be read; they have to be PEM "
                "(-----BEGIN CERTIFICATE-----). Set the credentials again."
            ) from unreadable
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def check_pinned(sock: ssl.SSLSocket, credentials: Credentials, address: str) -> None:
    """Compare the certificate of a connection with those that are pinned, where some are.

    Raises:
        FatalEndpointError: It is another one.
    """
    if not credentials.certificates:
        return
    offered = fingerprint_of(sock.getpeercert(binary_form=True) or b"")
    if offered not in credentials.certificates:
        raise FatalEndpointError(
            f"{address}: the server's certificate is not the pinned one. Offered: {offered}. Pinned: "
            f"{', '.join(credentials.certificates)}. Somebody may be listening in, or the partner has a new "
            "certificate: ask the partner for its SHA-256 fingerprint by another way, and only if it is the offered "
            "one add it to the credentials."
        )


def not_trusted(place: str, error: ssl.SSLCertVerificationError) -> FatalEndpointError:
    """Return the error for a certificate that nobody vouches for."""
    return FatalEndpointError(
        f"{place}: the server's certificate is not trusted ({shown(error.verify_message)}). If the partner states its "
        "fingerprint, pin it: `connections credentials set NAME --fetch-certificate HOST:PORT` shows what the server "
        "offers. A certificate authority of the partner's own is given with --authorities-file."
    )


def unchecked_context() -> ssl.SSLContext:
    """Return a context that accepts any certificate: to show it to a person, and for nothing else."""
    context = ssl.create_default_context()
    context.sslsocket_class = _Connected
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
