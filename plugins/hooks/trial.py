"""Trying a connection out: connect as a run would, and say step by step what works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from data_connections.endpoints.blocking import BlockingEndpoint, open_endpoint
from data_connections.errors import ConnectionsError, UnknownName
from data_connections.ledger import connection_ids
from data_connections.spec import ConnectionSpec, Hosted, InboundConnection, MailSource, OutboundMailDetails
from data_connections.steps.probe import ProbeStep, next_run, probe
from hooks.endpoint import EndpointHook
from hooks.ledger import LedgerHook
from hooks.mail_server import mail_server
from hooks.pgp import keyring

_DOOR = {
    "sftp": "host key and login",
    "ftps": "certificate and login",
    "ftp": "login",
    "imaps": "certificate and login",
    "imap": "login",
}
_OPENS = {
    "sftp": "has the pinned host key and lets us in",
    "ftps": "has a certificate that is trusted and lets us in",
    "ftp": "lets us in; login, password and files travel readable",
    "imaps": "has a certificate that is trusted and lets us in",
    "imap": "lets us in; login, password and mails travel readable",
}


def reach(spec: ConnectionSpec) -> ProbeStep:
    """Log in and leave again: nothing is listed, nothing written."""
    if isinstance(spec.details, OutboundMailDetails):
        return _by_mail("endpoint", spec.credentials or "", (*spec.details.to, *spec.details.cc))
    hook = EndpointHook(spec)
    try:
        with hook.get_conn() as endpoint:
            return ProbeStep("endpoint", True, f"{endpoint.address} lets us in.")
    except ConnectionsError as refused:
        return ProbeStep("endpoint", False, str(refused))


def trial(spec: ConnectionSpec) -> Iterator[ProbeStep]:
    """Yield step by step what works: keys, credentials, server, login, folder, rights, and what a run would take.

    Everything is put back.
    """
    hook = EndpointHook(spec)
    if spec.pgp is not None:
        yield _pgp_keys(spec.pgp.credentials)
    if isinstance(spec.details, Hosted):
        with hook.get_conn() as endpoint:
            yield from _tried(spec, endpoint)
        return
    if isinstance(spec.details, OutboundMailDetails):
        yield _by_mail("recipients", spec.credentials or "", (*spec.details.to, *spec.details.cc))
        return
    try:
        credentials = hook.credentials()
    except ConnectionsError as missing:
        yield ProbeStep("credentials", False, str(missing))
        return
    proofs = [
        name for name, value in (("a key", credentials.private_key), ("a password", credentials.password)) if value
    ]
    yield ProbeStep("credentials", True, f"{spec.credentials}: login {credentials.login} with {' and '.join(proofs)}.")
    try:
        with open_endpoint(lambda: hook.endpoint(credentials)) as endpoint:
            yield ProbeStep(_DOOR[spec.details.scheme], True, f"{endpoint.address} {_OPENS[spec.details.scheme]}.")
            yield from _tried(spec, endpoint)
            yield from _answers(spec)
    except ConnectionsError as refused:
        yield ProbeStep(_DOOR[spec.details.scheme], False, str(refused))


def _tried(spec: ConnectionSpec, endpoint: BlockingEndpoint) -> Iterator[ProbeStep]:
    works = True
    for step in probe(spec, endpoint):
        yield step
        works &= step.ok
    if works and isinstance(spec, InboundConnection):
        ledger = LedgerHook().get_conn()
        try:
            known = connection_ids.of_name(ledger, spec.name)
        except UnknownName:
            # It is tried before it is saved.
            known = None
        yield next_run(ledger, known, spec, endpoint)


def _pgp_keys(name: str) -> ProbeStep:
    now = datetime.now(UTC)
    try:
        keys = keyring(name).keys()
    except ConnectionsError as missing:
        return ProbeStep("PGP keys", False, str(missing))
    counted = " and ".join(
        f"{sum(key.whose == whose and key.is_valid(now) for key in keys)} valid {words}"
        for whose, words in (("ours", "of ours"), ("partner", "of the partner"))
    )
    warnings = " ".join(warning for key in keys if (warning := key.warning(now)))
    return ProbeStep("PGP keys", True, f"{name} has {counted}. {warnings}".strip())


def _answers(spec: ConnectionSpec) -> Iterator[ProbeStep]:
    """Try whether results can be mailed back, where they are to be."""
    details = spec.details
    if not isinstance(details, MailSource) or details.return_address is None:
        return
    yield _by_mail("return address", details.smtp, (details.return_address,))


def _by_mail(name: str, smtp: str, recipients: tuple[str, ...]) -> ProbeStep:
    """Ask the mail server whether it would take a mail to these."""
    try:
        server = mail_server(smtp)
        server.check(recipients)
    except ConnectionsError as refused:
        return ProbeStep(name, False, str(refused))
    message = f"{server.address} takes mails from {server.sender} to {', '.join(recipients)}; none was sent."
    return ProbeStep(name, True, message)
