"""`connections test`: connect as a run would, and say step by step what works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.exits import BAD
from command_line.output import AsJson, print_json
from command_line.session import current_settings, open_ledger
from data_connections.errors import ConnectionsError

if TYPE_CHECKING:
    from data_connections.spec import ConnectionSpec
    from data_connections.steps.probe import ProbeStep

_DOOR = {"sftp": "host key and login", "ftps": "certificate and login", "ftp": "login"}
_OPENS = {
    "sftp": "has the pinned host key and lets us in",
    "ftps": "has a certificate that is trusted and lets us in",
    "ftp": "lets us in; login, password and files travel readable",
}


def try_out(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)], as_json: AsJson = False) -> None:
    """Try a connection out: credentials, host key, login, folder, rights; everything is put back.

    Nothing of the partner's is taken or changed. Exit code 1 when something does not work.
    """
    from command_line.airflow_process import enter_airflow
    from data_connections.catalog import current

    settings = current_settings()
    spec = current(open_ledger(settings), name).spec
    enter_airflow(settings)
    steps = []
    for step in _steps(spec):
        steps.append(step)
        if not as_json:
            sign = typer.style("ok", fg="green") if step.ok else typer.style("failed", fg="red", bold=True)
            typer.echo(f"{sign:<6} {step.name}: {step.message}")
    works = all(step.ok for step in steps)
    if as_json:
        print_json({"name": name, "ok": works, "steps": [asdict(step) for step in steps]})
    if not works:
        raise typer.Exit(BAD)


def _steps(spec: ConnectionSpec) -> Iterator[ProbeStep]:
    from data_connections.endpoints.blocking import open_endpoint
    from data_connections.spec import HostedFolder
    from data_connections.steps.probe import ProbeStep, probe
    from hooks.endpoint import EndpointHook

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
