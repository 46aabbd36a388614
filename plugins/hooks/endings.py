"""Finding what ends by itself, in the credentials that Airflow keeps, in the ledger, and at our gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

from data_connections.catalog import StoredSpec
from data_connections.errors import ConnectionsError
from data_connections.formats.openpgp.keyring import Key
from data_connections.gateway.configuration import GatewayConfiguration
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from data_connections.spec import MailSource
from data_connections.steps.endings import Ending, is_soon, of_gateway_logins, of_servers
from hooks.pgp import keyring

FOR_EVER = datetime.max.replace(tzinfo=UTC)


def find_endings(ledger: Ledger, connections: Iterable[StoredSpec], now: datetime) -> list[Ending]:
    """Return everything that ended or ends within 30 days, in a task: logins, certificates, PGP keys.

    Public keys of SFTP servers have no end of their own; a server that has another one is found by the daily look.

    Args:
        ledger: The ledger.
        connections: The connections that there are.
        now: The present instant.
    """
    users = _users(connections)
    found = [ending for name, used_by in sorted(users.items()) for ending in _of_credentials(name, used_by, now)]
    return [*found, *of_servers(ledger, now), *of_gateway_logins(ledger, now), *_of_gateway(now)]


def _users(connections: Iterable[StoredSpec]) -> dict[str, list[str]]:
    """Return the names of credentials with the connections that use them; paused ones use none."""
    users: dict[str, list[str]] = {}
    for stored in connections:
        spec = stored.spec
        named = [spec.credentials, spec.pgp.credentials if spec.pgp else None]
        named += [spec.details.smtp] if isinstance(spec.details, MailSource) else []
        for name in {each for each in named if each} if not spec.paused else ():
            users.setdefault(name, []).append(spec.name)
    return users


def _of_credentials(name: str, used_by: list[str], now: datetime) -> Iterator[Ending]:
    try:
        extra: Mapping[str, Any] = AirflowConnection.get(name).extra_dejson
    except AirflowNotFoundException:
        return  # every run and the daily look say so
    ends = _end_of(extra.get("expires_on"))
    if ends is not None and is_soon(ends, now):
        do = f"Ask the partner for a new one; then `connections credentials set {name}`."
        yield Ending.of("login", name, ends, now, f"The login of the credentials {name}", do, used_by)
    yield from _of_authorities(name, str(extra.get("certificate_authorities") or ""), used_by, now)
    if extra.get("pgp_private_key") or extra.get("pgp_certificates"):
        yield from _of_pgp_keys(name, used_by, now)


def _end_of(day: object) -> datetime | None:
    """Return the end of a login's last day."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC) if isinstance(day, str) else None


def _of_authorities(name: str, pem: str, used_by: list[str], now: datetime) -> Iterator[Ending]:
    from cryptography import x509

    for certificate in x509.load_pem_x509_certificates(pem.encode()) if "BEGIN CERTIFICATE" in pem else ():
        if is_soon(ends := certificate.not_valid_after_utc, now):
            subject = certificate.subject.rfc4514_string()
            what, do = f"The certificate authority {subject} of {name}", "Ask the partner for the next one."
            yield Ending.of("authority", f"{name} {subject}", ends, now, what, do, used_by)


def _of_pgp_keys(name: str, used_by: list[str], now: datetime) -> Iterator[Ending]:
    try:
        keys = keyring(name).keys()
    except ConnectionsError:
        return  # a run that needs them says so
    for whose in ("ours", "partner"):
        yield from _last_of(name, [key for key in keys if key.whose == whose], used_by, now)


def _last_of(name: str, keys: list[Key], used_by: list[str], now: datetime) -> Iterator[Ending]:
    """Yield the key that ends last, if it ends soon: while others are good for longer, one that ends is no trouble."""
    last = max(keys, key=lambda key: key.expires or FOR_EVER, default=None)
    if last is None or last.expires is None or not is_soon(last.expires, now):
        return
    ours = last.whose == "ours"
    whose = "Our" if ours else "The partner's"
    what = f"{whose} PGP key {last.fingerprint} of {name}"
    do = "Send the partner a new public key." if ours else "Ask the partner for a new public key."
    yield Ending.of("PGP key", last.fingerprint, last.expires, now, what, do, used_by)


def _of_gateway(now: datetime) -> Iterator[Ending]:
    """Yield the certificate of our own gateway, where this machine has it."""
    from data_connections.endpoints.certificates import Certificate
    from data_connections.gateway.certificate import certificate_file, read_certificate

    path = certificate_file(GatewayConfiguration.from_environment(Settings.from_environment()))
    if not path.exists():
        return
    certificate = Certificate.of(read_certificate(path))
    if is_soon(certificate.valid_until, now):
        do = f"Renew it in {path}, tell partners the new fingerprint, and restart the gateway."
        what = "The certificate of our own gateway"
        yield Ending.of("certificate", "of the gateway", certificate.valid_until, now, what, do)
