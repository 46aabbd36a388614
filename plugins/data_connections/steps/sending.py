"""Sends a delivery's kept bytes: whole, at least once, always the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import dropwhile
from typing import Any

from data_connections import catalog
from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.endpoints.names import join
from data_connections.endpoints.smtp import MailServer
from data_connections.errors import (
    ConfigurationError,
    EndpointError,
    EndpointFileExists,
    EndpointFileMissing,
    FatalEndpointError,
    LedgerUnavailable,
    RetriableEndpointError,
)
from data_connections.landing import Landing
from data_connections.landing.area import BLOCK, OriginalDamaged
from data_connections.ledger import Ledger, deliveries, outbound_runs
from data_connections.ledger.delivery import Delivery, DeliveryFile
from data_connections.spec import OutboundConnection, OutboundMailDetails
from data_connections.spec.file_name import versioned
from data_connections.steps.delivery_names import MANIFEST, marker_names, part_names
from data_connections.steps.journaling import record_sent
from data_connections.steps.mail_answers import OpenServer
from data_connections.steps.manifest import manifest_text
from data_connections.steps.outbound_spec import base_name, outbound_spec
from data_connections.steps.report_letter import report_letter
from data_connections.steps.shipment import Earlier, Piece, ship
from data_connections.steps.standstill import must_not_be_halted

MOST_VERSIONS = 1000

OpenEndpoint = Callable[[], AbstractContextManager[BlockingEndpoint]]


def deliver(
    ledger: Ledger,
    landing: Landing,
    open_endpoint: OpenEndpoint,
    delivery_id: int,
    *,
    open_server: OpenServer | None = None,
) -> dict[str, Any]:
    """Send a checked delivery, and return it as ``Delivery.as_json`` does; while its connection is testing, do not.

    The intent is recorded before anything can be seen at the receiver. A delivery that was about to be sent before
    is looked for there first, and the same bytes are sent again only where they are not found whole.

    Args:
        ledger: The ledger.
        landing: Where the bytes are kept.
        open_endpoint: Connects to the receiver, such as ``EndpointHook(spec).get_conn``.
        delivery_id: The delivery.
        open_server: Returns the mail server of SMTP credentials by their name, for connections by e-mail.

    Raises:
        ConfigurationError: It was not checked, or a later version of its business date was sent.
        StandsStill: All sending is stopped; it can be sent afterwards.
        RetriableEndpointError: The receiver's server did not do its part, or another task is sending.
        FatalEndpointError: Wrong login, host key, folder or rights; the delivery is Failed.
        OriginalDamaged: The kept bytes are not the exported ones; nothing was sent.
    """
    with _only_sender(ledger, _read(ledger, delivery_id)):
        delivery = _read(ledger, delivery_id)
        if delivery.state not in ("delivered", "tested"):
            with ledger.connect() as connection:
                must_not_be_halted(connection)
            _refuse_unfit(ledger, delivery)
            spec = outbound_spec(catalog.revision(ledger, delivery.connection, delivery.revision).spec)
            if spec.status == "testing":
                return _tested(ledger, delivery)
            with _troubles_recorded(ledger, delivery):
                if isinstance(spec.details, OutboundMailDetails) and open_server is not None:
                    _mail(ledger, landing, open_server(spec.credentials or ""), delivery, spec, spec.details)
                else:
                    with open_endpoint() as endpoint:
                        _send(ledger, landing, endpoint, delivery, spec)
            record_sent(landing, _read(ledger, delivery_id))
            _record(ledger, delivery)
    return _read(ledger, delivery_id).as_json()


def _tested(ledger: Ledger, delivery: Delivery) -> dict[str, Any]:
    """Record that a delivery is one of a trial, whose receiver hears nothing of it."""
    message = (
        f"The connection is testing: {delivery.file_name} was made and checked, and nothing was sent. "
        f"`connections deliveries show {delivery.id} --out FILE` writes it down."
    )
    with ledger.connect() as connection:
        deliveries.mark_tested(connection, delivery.id, message)
        if delivery.run_id is not None:
            outbound_runs.finish_run(connection, delivery.run_id, reason=message)
    return _read(ledger, delivery.id).as_json()


def _read(ledger: Ledger, delivery_id: int) -> Delivery:
    with ledger.connect() as connection:
        return deliveries.get(connection, delivery_id)


@contextmanager
def _only_sender(ledger: Ledger, delivery: Delivery) -> Iterator[None]:
    """Keep every other task from sending for the same connection; the database frees it when this process dies."""
    with ledger.connect(autocommit=True) as connection:
        answer = connection.execute(
            "select pg_try_advisory_lock(hashtext('data_connections.deliver'), %s::integer) as alone",
            [delivery.connection_id],
        ).fetchone()
        if not answer or not answer["alone"]:
            raise RetriableEndpointError(
                f"Connection {delivery.connection}: another task is sending for it right now; this one is tried again."
            )
        try:
            yield
        finally:
            # Closing the session frees it too, but only once the server has noticed; a prompt retry would be refused.
            connection.execute("select pg_advisory_unlock_all()")


def _refuse_unfit(ledger: Ledger, delivery: Delivery) -> None:
    place = f"Delivery {delivery.id} of {delivery.connection}"
    if delivery.state == "on_hold":
        raise ConfigurationError(f"{place} waits for approval: `connections deliveries send {delivery.id}`.")
    if delivery.checked_at is None:
        raise ConfigurationError(f"{place} was not checked, so it is not sent; run check_report first.")
    with ledger.connect() as connection:
        later = deliveries.overtaken_by(connection, delivery)
    if later is not None:
        raise ConfigurationError(
            f"{place} is version {delivery.version} of {delivery.business_date}, and version {later} was sent already; "
            "to send the day once more, start a new run."
        )


@contextmanager
def _troubles_recorded(ledger: Ledger, delivery: Delivery) -> Iterator[None]:
    try:
        yield
    except (EndpointError, OriginalDamaged) as trouble:
        final = isinstance(trouble, FatalEndpointError | OriginalDamaged)
        mark = deliveries.mark_failed if final else deliveries.mark_troubled
        with suppress(LedgerUnavailable), ledger.connect() as connection:
            mark(connection, delivery.id, str(trouble))
        raise


def _record(ledger: Ledger, delivery: Delivery) -> None:
    with ledger.connect() as connection:
        deliveries.mark_delivered(connection, delivery.id)
        if delivery.run_id is not None:
            outbound_runs.finish_run(connection, delivery.run_id, reason=delivery.note)


def _send(
    ledger: Ledger, landing: Landing, endpoint: BlockingEndpoint, delivery: Delivery, spec: OutboundConnection
) -> None:
    """Put the files under their final names, unless an earlier try has done so."""
    replace = spec.details.existing == "replace"
    again = delivery.intended_at is not None
    for base in _names(delivery, spec):
        named = _named(delivery, base, spec)
        pieces = _pieces(landing, named, spec)
        earlier = _intend(ledger, named, pieces, replace=replace)
        try:
            ship(endpoint, pieces, delivery.trace_id.hex, replace=replace, again=again, earlier=earlier)
        except EndpointFileExists:
            if replace:
                raise
            again = False
        except EndpointFileMissing as missing:
            raise FatalEndpointError(
                f"Connection {delivery.connection}: there is no folder {spec.details.folder!r} at {endpoint.address} "
                "that this login may write to. Create it there, or mend details.folder."
            ) from missing
        else:
            return
    raise FatalEndpointError(
        f"{endpoint.address}: all {MOST_VERSIONS} names of {delivery.file_name!r} are taken; tidy the folder up."
    )


def _mail(
    ledger: Ledger,
    landing: Landing,
    server: MailServer,
    delivery: Delivery,
    spec: OutboundConnection,
    details: OutboundMailDetails,
) -> None:
    """Hand the files over as one mail; a try that may have done so is repeated with the same bytes."""
    content = {file.number: partial(_kept_bytes, landing, delivery, file) for file in delivery.files}
    letter = report_letter(delivery, spec, details, server.sender, content)
    paths = {file.number: f"{letter.message_id}/{file.file_name}" for file in delivery.files}
    with ledger.connect() as connection:
        deliveries.intend(connection, delivery, delivery.file_name, paths, [])
    server.send(letter.as_bytes(), letter.recipients)


def _names(delivery: Delivery, spec: OutboundConnection) -> Iterator[str]:
    """Yield the names that the delivery may have, the recorded one first; only one where files are replaced."""
    if spec.details.existing == "replace":
        yield delivery.file_name
        return
    base = base_name(spec, delivery.business_date, delivery.last_date)
    every = (versioned(base, number) for number in range(1, MOST_VERSIONS + 1))
    yield from dropwhile(lambda name: name != delivery.file_name, every)


def _named(delivery: Delivery, base: str, spec: OutboundConnection) -> Delivery:
    """Return the delivery as it is when it goes under the name ``base``."""
    names = part_names(base, len(delivery.files))
    files = tuple(
        dataclasses.replace(file, file_name=name, remote_path=join(spec.details.folder, name))
        for file, name in zip(delivery.files, names, strict=True)
    )
    return dataclasses.replace(delivery, file_name=base, files=files)


def _intend(ledger: Ledger, named: Delivery, pieces: Sequence[Piece], *, replace: bool) -> Earlier:
    markers = [piece.path for piece in pieces if piece.vouches]
    paths = {file.number: file.remote_path or "" for file in named.files}
    with ledger.connect() as connection:
        deliveries.intend(connection, named, named.file_name, paths, markers)
        return Earlier(*deliveries.earlier_paths(connection, named)) if replace else Earlier()


def _pieces(landing: Landing, named: Delivery, spec: OutboundConnection) -> list[Piece]:
    files = [
        Piece(file.remote_path or "", file.size, file.sha256, partial(_kept_bytes, landing, named, file))
        for file in named.files
    ]
    markers = marker_names(named.file_name, [file.file_name for file in named.files], spec.packaging)
    return [*files, *(_marker(join(spec.details.folder, name), named) for name in markers)]


def _marker(path: str, named: Delivery) -> Piece:
    content = manifest_text(named).encode() if path.endswith(MANIFEST) else b""
    return Piece(path, len(content), hashlib.sha256(content).hexdigest(), lambda: iter((content,)), vouches=True)


def _kept_bytes(landing: Landing, delivery: Delivery, file: DeliveryFile) -> Iterator[bytes]:
    """Yield the bytes, and raise before the file gets its final name if they are not the exported ones."""
    digest = hashlib.sha256()
    with landing.open(file.landing_key) as source:
        while block := source.read(BLOCK):
            digest.update(block)
            yield block
    if digest.hexdigest() != file.sha256:
        raise OriginalDamaged(
            f"The original {file.landing_key} no longer has the bytes of delivery {delivery.id} of "
            f"{delivery.connection}. Restore it from a backup, or start a new run."
        )
