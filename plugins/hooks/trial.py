"""Trying a connection out: connect as a run would, and say step by step what works."""

from __future__ import annotations

from collections.abc import Iterator

from data_connections.endpoints.blocking import open_endpoint
from data_connections.errors import ConnectionsError
from data_connections.spec import ConnectionSpec, HostedFolder
from data_connections.steps.probe import ProbeStep, probe
from hooks.endpoint import EndpointHook

_DOOR = {"sftp": "host key and login", "ftps": "certificate and login", "ftp": "login"}
_OPENS = {
    "sftp": "has the pinned host key and lets us in",
    "ftps": "has a certificate that is trusted and lets us in",
    "ftp": "lets us in; login, password and files travel readable",
}


def reach(spec: ConnectionSpec) -> ProbeStep:
    """Log in and leave again: nothing is listed, nothing written."""
    hook = EndpointHook(spec)
    try:
        with hook.get_conn() as endpoint:
            return ProbeStep("endpoint", True, f"{endpoint.address} lets us in.")
    except ConnectionsError as refused:
        return ProbeStep("endpoint", False, str(refused))


def trial(spec: ConnectionSpec) -> Iterator[ProbeStep]:
    """Yield step by step what works: credentials, server, login, folder, rights; everything is put back."""
    hook = EndpointHook(spec)
    if isinstance(spec.details, HostedFolder):
        with hook.get_conn() as endpoint:
            yield from probe(spec, endpoint)
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
            yield from probe(spec, endpoint)
    except ConnectionsError as refused:
        yield ProbeStep(_DOOR[spec.details.scheme], False, str(refused))
