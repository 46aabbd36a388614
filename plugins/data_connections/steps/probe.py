"""Trying a connection out: folder, listing, and the rights that its spec needs; everything is put back."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from data_connections.endpoints.arrival import IN_WORDS, look
from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.endpoints.contract import Endpoint, RemoteFile
from data_connections.endpoints.imap import ImapEndpoint
from data_connections.endpoints.mail_rules import rules_of
from data_connections.endpoints.names import join
from data_connections.endpoints.vouching import MOST_BYTES, Voucher, read_manifest
from data_connections.errors import ConnectionsError, EndpointFolderMissing, FatalEndpointError
from data_connections.ledger import Ledger, sightings
from data_connections.spec import (
    ConnectionSpec,
    InboundConnection,
    InboundFolder,
    InboundMailboxDetails,
    OutboundConnection,
)

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
    if not isinstance(spec.details, InboundFolder):
        yield from _mailbox_attempts(spec, endpoint)
        return
    if spec.details.after_read == "delete":
        yield "delete after reading", lambda: _write(endpoint, folder)
    if spec.details.after_read == "move":
        folders = (spec.details.done_folder, spec.details.failed_folder)
        for target in dict.fromkeys(name if name.startswith("/") else join(folder, name) for name in folders):
            yield "move after reading", lambda target=target: _move(endpoint, folder, target)  # type: ignore[misc]
    if spec.details.result_folder is not None:
        results = spec.details.result_folder
        yield "result folder", lambda: _write(endpoint, results)


def _mailbox_attempts(spec: InboundConnection, endpoint: BlockingEndpoint) -> Iterator[tuple[str, Callable[[], str]]]:
    details, mailbox = spec.details, endpoint.endpoint
    if not (isinstance(details, InboundMailboxDetails) and isinstance(mailbox, ImapEndpoint)):
        return
    if details.after_read != "keep" or details.mark_read:
        yield "change mails", lambda: _change(endpoint, details.folder)
    if details.after_read == "move":
        for target in dict.fromkeys((details.done_folder, details.failed_folder)):
            yield "move after reading", lambda target=target: _mailbox(endpoint, target)  # type: ignore[misc]


def _change(endpoint: BlockingEndpoint, folder: str) -> str:
    if not endpoint.run(_may_write, folder):
        raise FatalEndpointError(
            f"{endpoint.address}: mails in {folder} can be read, and not marked, moved or deleted. Ask for the right, "
            "or keep them (`after_read: keep`, no `mark_read`)."
        )
    return f"Mails in {folder} may be marked, moved and deleted; none was."


def _mailbox(endpoint: BlockingEndpoint, target: str) -> str:
    is_there = endpoint.run(_try_mailbox, target)
    return f"{target} is there." if is_there else f"{target} could be made and removed again; the first mail makes it."


async def _may_write(endpoint: Endpoint, folder: str) -> bool:
    assert isinstance(endpoint, ImapEndpoint)  # noqa: S101 - asked of no other
    return await endpoint.may_write(folder)


async def _try_mailbox(endpoint: Endpoint, folder: str) -> bool:
    assert isinstance(endpoint, ImapEndpoint)  # noqa: S101 - asked of no other
    return await endpoint.try_mailbox(folder)


def _listed(spec: InboundConnection, endpoint: BlockingEndpoint) -> str:
    rules = rules_of(spec.details)
    files = endpoint.list(spec.details.folder)
    fitting = sorted((file for file in files if rules.refusal(file) is None), key=rules.claim_order)
    first = ", ".join(f"{file.shown} ({file.size:,} bytes)" for file in fitting[:_SHOWN])
    more = f" and {len(fitting) - _SHOWN} more" if len(fitting) > _SHOWN else ""
    return (
        f"{spec.details.folder} can be listed; of {_files(len(files))}, {len(fitting)} would be taken by "
        f"{spec.details.file_pattern!r}{': ' + first + more if fitting else ''}."
    )


def next_run(
    ledger: Ledger, connection_id: int | None, spec: InboundConnection, endpoint: BlockingEndpoint
) -> ProbeStep:
    """Say what a run would take now if no file changed any more; nothing is claimed, nothing written down.

    A connection that is not saved yet has no number, and has taken nothing.
    """
    rules = rules_of(spec.details)
    files = endpoint.list(spec.details.folder)
    manifests = [(file, _manifest(endpoint, file)) for file in files if rules.is_manifest(file.name)]
    arrivals = look(files, files, rules, manifests)
    new = {file.path for file in arrivals.taken}
    if connection_id is not None:
        with ledger.connect() as connection:
            new = sightings.open_paths(connection, connection_id, arrivals.taken)
    taken = [file.shown for file in arrivals.taken if file.path in new][: spec.limits.files_per_run]
    known = len(arrivals.taken) - len(new)
    reasons = Counter(IN_WORDS[each.reason] for each in arrivals.not_taken)
    parts = [f"a run would take {_files(len(taken))} now{': ' + _first(taken) if taken else ''}"]
    if known:
        parts.append(f"{_files(known)} {'was' if known == 1 else 'were'} taken before")
    parts += [f"{_files(count)} would be left: {reason}" for reason, count in reasons.items()]
    sentence = "; ".join(parts)
    return ProbeStep("next run", True, f"{sentence[0].upper()}{sentence[1:]}.")


def _manifest(endpoint: BlockingEndpoint, file: RemoteFile) -> dict[str, Voucher]:
    blocks: list[bytes] = []
    if file.size <= MOST_BYTES:
        endpoint.fetch(file, blocks.append)
    return read_manifest(b"".join(blocks), file.path)


def _first(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


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
