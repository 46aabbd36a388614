"""What a connection's DAG says about itself on its page in Airflow."""

from __future__ import annotations

from dag_factory.schedule import schedule_in_words
from data_connections.spec import ConnectionSpec, InboundConnection, InboundFolder, OutboundConnection

_TESTING = {
    "inbound": "testing: files are judged and answered, nothing is applied",
    "outbound": "testing: reports are made and checked, nothing is sent",
}


def doc_md(spec: ConnectionSpec, revision: int, airflow_url: str) -> str:
    """Return the DAG's documentation: what it does, from where to where, when, and whom to ask."""
    rows = [
        ("Program", spec.program),
        ("Data type", spec.data_type),
        ("From", _source(spec)),
        ("To", _target(spec)),
        ("Runs", schedule_in_words(spec)),
        *([("Status", _TESTING[spec.direction])] if spec.status == "testing" else []),
        ("Active from", str(spec.active_from) if spec.active_from else "the beginning"),
        ("Owner", spec.owner or "nobody named"),
        ("Our contacts", ", ".join(spec.contacts.ours) or "none named"),
        ("Partner's contacts", ", ".join(spec.contacts.partner) or "none named"),
        ("Credentials", spec.credentials or "none: the partner logs in at our gateway"),
        ("Revision", str(revision)),
    ]
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows)
    link = f"[Runs of this connection]({airflow_url.rstrip('/')}/dags/{spec.name}/runs)"
    return (
        f"# {_line(spec.title)}\n\n{summary(spec)}\n\n"
        f"| | |\n|---|---|\n{table}\n\n{link} · files and counts: `connections show {spec.name}`\n"
    )


def summary(spec: ConnectionSpec) -> str:
    """Return one paragraph for people: the spec's own description, or what its kind does."""
    if spec.description:
        return spec.description
    if isinstance(spec, InboundConnection):
        return f"Takes {spec.data_type} files from the partner, checks every row and books the good ones."
    return f"Makes the report {spec.data_type} and delivers it to the partner."


def _source(spec: ConnectionSpec) -> str:
    if isinstance(spec, OutboundConnection):
        return f"the ledger, report {spec.data_type}"
    return f"`{spec.details.place}`, files `{spec.details.file_pattern}`"


def _target(spec: ConnectionSpec) -> str:
    if isinstance(spec, OutboundConnection):
        return f"`{spec.details.place}`, file `{spec.details.file_name}`"
    details = spec.details
    target = details.result_folder if isinstance(details, InboundFolder) else getattr(details, "return_address", None)
    return f"the ledger{f'; results go to `{target}`' if target else ''}"


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())
