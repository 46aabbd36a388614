"""Trying a connection out: folder, listing, and the rights that its spec needs; everything is put back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from data_connections.endpoints.arrival import ArrivalRules
from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.endpoints.names import join
from data_connections.errors import ConnectionsError, EndpointFolderMissing
from data_connections.spec import ConnectionSpec, InboundConnection, OutboundConnection

_CONTENT = b"Connections tries out whether it may write here, and deletes this file at once.\n"
_SHOWN = 5


@dataclass(frozen=True)
class ProbeStep:
    """One thing that was tried.

    Attributes:
        name: What was tried.
        ok: Whether it works.
        message: What was found, or what to do, as a sentence.
    """

    name: str
    ok: bool
    message: str


def probe(spec: ConnectionSpec, endpoint: BlockingEndpoint) -> Iterator[ProbeStep]:
    """Try what runs of the connection will do at a connected endpoint; stops at the first thing that fails.

    Files are written under names that nobody takes for data (``.connections-test-...``), and deleted again.
    """
    for name, attempt in _attempts(spec, endpoint):
        try:
            yield ProbeStep(name, True, attempt())
        except ConnectionsError as failed:
            yield ProbeStep(name, False, str(failed))
            return


def _attempts(spec: ConnectionSpec, endpoint: BlockingEndpoint) -> Iterator[tuple[str, Callable[[], str]]]:
    folder = spec.details.folder
    if isinstance(spec, OutboundConnection):
        yield "folder", lambda: f"{folder} can be listed; it holds {_files(len(endpoint.list(folder)))}."
        yield "write and rename", lambda: _write(endpoint, folder)
        return
    yield "folder", lambda: _listed(spec, endpoint)
    if spec.details.after_read == "delete":
        yield "delete after reading", lambda: _write(endpoint, folder)
    if spec.details.after_read == "move":
        folders = (spec.details.done_folder, spec.details.failed_folder)
        for target in dict.fromkeys(name if name.startswith("/") else join(folder, name) for name in folders):
            yield "move after reading", lambda target=target: _move(endpoint, folder, target)  # type: ignore[misc]
    if spec.details.result_folder is not None:
        results = spec.details.result_folder
        yield "result folder", lambda: _write(endpoint, results)


def _listed(spec: InboundConnection, endpoint: BlockingEndpoint) -> str:
    rules = ArrivalRules.of(spec.details.file_pattern, spec.details.exclude)
    files = endpoint.list(spec.details.folder)
    fitting = sorted((file for file in files if rules.objection(file.name) is None), key=rules.claim_order)
    first = ", ".join(f"{file.shown} ({file.size:,} bytes)" for file in fitting[:_SHOWN])
    more = f" and {len(fitting) - _SHOWN} more" if len(fitting) > _SHOWN else ""
    return (
        f"{spec.details.folder} can be listed; of {_files(len(files))}, {len(fitting)} would be taken by "
        f"{spec.details.file_pattern!r}{': ' + first + more if fitting else ''}."
    )


def _write(endpoint: BlockingEndpoint, folder: str) -> str:
    path = join(folder, _name())
    endpoint.write(path, _CONTENT)
    endpoint.delete(path)
    return f"A file could be written to {folder} under a temporary name, renamed and deleted again."


def _move(endpoint: BlockingEndpoint, folder: str, target: str) -> str:
    try:
        endpoint.list(target)
    except EndpointFolderMissing:
        return f"{target} does not exist yet; it is made when the first file is moved there."
    before, after = join(folder, _name()), join(target, _name())
    endpoint.write(before, _CONTENT)
    try:
        endpoint.move(before, after)
    except ConnectionsError:
        endpoint.delete(before)
        raise
    endpoint.delete(after)
    return f"A file could be moved from {folder} to {target}."


def _name() -> str:
    return f".connections-test-{secrets.token_hex(4)}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"
