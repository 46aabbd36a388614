"""The gateway's certificate for FTPS: given by whoever runs it, or made here once and told by its fingerprint."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from data_connections.gateway.configuration import GatewayConfiguration

YEARS = timedelta(days=5 * 365)


def gateway_certificate(configuration: GatewayConfiguration) -> Path:
    """Return the file with certificate and private key; one that signs itself is made where none is configured."""
    path, host = certificate_file(configuration), configuration.host
    if not path.exists() and configuration.certificate is None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(_self_signed(host))
        unfinished.replace(path)
    return path


def certificate_file(configuration: GatewayConfiguration) -> Path:
    """Return where the certificate is, or will be."""
    return configuration.certificate or configuration.state / "ftps.pem"


def read_certificate(path: Path) -> bytes:
    """Return the certificate of a PEM file as DER bytes."""
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


def fingerprint_of(path: Path) -> str:
    """Return the certificate's SHA-256 fingerprint, ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(read_certificate(path)).hexdigest()}"


def _self_signed(host: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + YEARS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private
