"""The mail that a delivery goes out with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from data_connections.endpoints.mail_writing import AttachedFile, Letter
from data_connections.ledger.delivery import Delivery
from data_connections.settings import Settings
from data_connections.spec import OutboundConnection, OutboundMailDetails
from data_connections.spec.file_name import without_extension
from data_connections.steps.delivery_names import MANIFEST
from data_connections.steps.manifest import manifest_text
from data_connections.steps.outbound_spec import filled

Content = Mapping[int, Callable[[], Iterable[bytes]]]
"""Yields the bytes of each file, by its number."""


def report_letter(
    delivery: Delivery, spec: OutboundConnection, details: OutboundMailDetails, sender: str, content: Content
) -> Letter:
    """Return the mail; the same delivery always gives the same one.

    Args:
        delivery: The delivery.
        spec: Its connection.
        details: Those of the connection.
        sender: Address that the mail is from.
        content: The bytes of its files; not asked for where they are above ``attach_up_to``.
    """
    attached = delivery.size <= details.attach_up_to
    files = [AttachedFile(file.file_name, b"".join(content[file.number]())) for file in delivery.files if attached]
    if spec.packaging.manifest:
        name = without_extension(delivery.file_name) + MANIFEST
        files.append(AttachedFile(name, manifest_text(delivery).encode()))
    return Letter(
        key=f"delivery.{delivery.trace_id}",
        sender=sender,
        to=details.to,
        cc=details.cc,
        subject=filled(details.subject, spec, delivery.business_date, delivery.last_date),
        lines=[*filter(None, (details.text.strip(), delivery.note)), *_lines(delivery, attached=attached)],
        at=delivery.created_at,
        files=files,
    )


def _lines(delivery: Delivery, *, attached: bool) -> Iterable[str]:
    for file in delivery.files:
        yield f"{file.file_name}: {file.rows:,} rows, {file.size:,} bytes, SHA-256 {file.sha256}"
    if not attached:
        screen = f"{Settings.from_environment().airflow_url}/plugin/connections/connections-app"
        yield f"Too large to be attached; fetch it here, with your login: {screen}/deliveries/{delivery.id}"
    yield f"Trace id: {delivery.trace_id}"
