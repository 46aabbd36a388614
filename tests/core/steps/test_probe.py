from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_connections.endpoints.blocking import BlockingEndpoint, open_endpoint
from data_connections.endpoints.contract import Credentials
from data_connections.endpoints.sftp import SftpEndpoint
from data_connections.spec import parse_spec
from data_connections.steps.probe import ProbeStep, probe
from local_stack.partner_sftp import PartnerServer

INBOUND = {
    "name": "orders",
    "program": "acme",
    "data_type": "conversions",
    "direction": "inbound",
    "method": "sftp",
    "credentials": "acme-sftp",
}
OUTBOUND = {**INBOUND, "direction": "outbound", "data_type": "performance_by_day"}

Probe = Callable[..., list[ProbeStep]]


@pytest.fixture
def endpoint(sftp_partner: PartnerServer) -> Iterator[BlockingEndpoint]:
    login = sftp_partner.login
    credentials = Credentials(login.login, login.password, host_keys=(login.host_key,))
    with open_endpoint(lambda: SftpEndpoint("127.0.0.1", sftp_partner.port, credentials)) as opened:
        yield opened


@pytest.fixture
def try_out(endpoint: BlockingEndpoint) -> Probe:
    """Probes a connection with these details."""

    def run(kind: dict[str, Any], **details: Any) -> list[ProbeStep]:
        spec = parse_spec({**kind, "details": {"host": "127.0.0.1", **details}})
        return list(probe(spec, endpoint))

    return run


@pytest.fixture
def files(sftp_partner: PartnerServer) -> Iterator[Path]:
    """The partner's folder; whatever a probe does, it holds the same files at the end."""
    for name in ("conversions_1.csv", "conversions_2.csv", "receipt_x.txt", "notes.txt"):
        (sftp_partner.files / "in" / name).write_text("x")
    before = sorted(sftp_partner.files.rglob("*"))
    yield sftp_partner.files
    assert sorted(sftp_partner.files.rglob("*")) == before


def test_it_lists_what_a_run_would_take(try_out: Probe, files: Path) -> None:
    (folder,) = try_out(INBOUND, folder="/in", file_pattern="conversions_*.csv")

    assert folder.ok
    assert "of 4 files, 2 would be taken" in folder.message
    assert "conversions_1.csv (1 bytes), conversions_2.csv (1 bytes)" in folder.message


def test_it_tries_the_rights_that_the_spec_needs(try_out: Probe, files: Path) -> None:
    (files / "in" / "done").mkdir()
    details = {"after_read": "move", "done_folder": "/in/done", "failed_folder": "/in/failed"}

    steps = try_out(INBOUND, folder="/in", file_pattern="*", result_folder="/results", **details)
    (files / "in" / "done").rmdir()

    assert [(step.name, step.ok) for step in steps] == [
        ("folder", True),
        ("move after reading", True),
        ("move after reading", True),
        ("result folder", True),
    ]
    assert "/in/failed does not exist yet" in steps[2].message


@pytest.mark.parametrize("kind", ["inbound", "outbound"])
def test_a_folder_that_is_not_there_ends_it(try_out: Probe, files: Path, kind: str) -> None:
    kinds: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "inbound": (INBOUND, {"file_pattern": "*", "result_folder": "/results"}),
        "outbound": (OUTBOUND, {"file_name": "r.csv"}),
    }
    spec, details = kinds[kind]

    (step,) = try_out(spec, folder="/nowhere", **details)

    assert not step.ok
    assert "there is no folder '/nowhere' for this login" in step.message


def test_outbound_writes_renames_and_deletes(try_out: Probe, files: Path) -> None:
    steps = try_out(OUTBOUND, folder="/out", file_name="r.csv")

    assert [(step.name, step.ok) for step in steps] == [("folder", True), ("write and rename", True)]


def test_results_that_cannot_be_written_are_found(try_out: Probe, files: Path) -> None:
    steps = try_out(INBOUND, folder="/in", file_pattern="*", result_folder="/nowhere")

    assert [(step.name, step.ok) for step in steps] == [("folder", True), ("result folder", False)]
