"""The manifest of a delivery: what its files are, so that the receiver can tell whether all of them are whole."""

from __future__ import annotations

from data_connections.ledger.delivery import Delivery

_KINDS = {"report": "report", "segment": "remarketing segment"}


def manifest_text(delivery: Delivery) -> str:
    """Return the manifest: a section about the delivery, then one for each file, ``Key: value``, blank lines between.

    Args:
        delivery: A checked delivery; its files have the names that they get.
    """
    about = {
        "Manifest-Version": "1.0",
        "Data-Kind": _KINDS[delivery.kind],
        "Report": delivery.report,
        "Connection": delivery.connection,
        "Date-From": delivery.date_from.isoformat(),
        "Date-To": delivery.last_date.isoformat(),
        **({"Date-Basis": delivery.date_basis} if delivery.date_basis else {}),
        "Lookup-Files": "0",
        "Data-Files": str(len(delivery.files)),
        "Total-Records": str(delivery.rows),
    }
    files = [
        {
            "Name": file.file_name,
            "MD5-Digest": file.md5 or "",
            "SHA-256-Digest": file.sha256,
            "File-Size": str(file.size),
            "Record-Count": str(file.rows),
        }
        for file in delivery.files
    ]
    return "\n".join("".join(f"{key}: {value}\n" for key, value in section.items()) for section in (about, *files))
