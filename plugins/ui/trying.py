"""Trying a spec out from the API server: log in as a run would, and put everything back."""

from __future__ import annotations

from data_connections.endpoints.blocking import open_endpoint
from data_connections.errors import ConnectionsError
from data_connections.spec import ConnectionSpec
from data_connections.steps.probe import ProbeStep, probe
from hooks.endpoint import EndpointHook


def try_out(spec: ConnectionSpec) -> list[ProbeStep]:
    """Return what works and what does not, step by step; nothing of the partner's is taken or changed."""
    hook = EndpointHook(spec)
    try:
        credentials = hook.credentials()
    except ConnectionsError as missing:
        return [ProbeStep("credentials", False, str(missing))]
    steps = [ProbeStep("credentials", True, f"{spec.credentials}: login {credentials.login}.")]
    try:
        with open_endpoint(lambda: hook.endpoint(credentials)) as endpoint:
            welcome = f"{endpoint.address} has the pinned host key and lets us in."
            steps.append(ProbeStep("host key and login", True, welcome))
            steps.extend(probe(spec, endpoint))
    except ConnectionsError as refused:
        steps.append(ProbeStep("host key and login", False, str(refused)))
    return steps
