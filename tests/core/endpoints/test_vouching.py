"""Markers and manifests: what vouches for a file, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data_connections.endpoints.arrival import ArrivalRules, Reason, look
from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.vouching import Voucher, read_manifest

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OURS = b"""Manifest-Version: 1.0
Data-Files: 2

Name: a.csv
MD5-Digest: 0CC175B9C0F1B6A831C399E269772661
SHA-256-Digest: ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb
File-Size: 10
Record-Count: 3

Name: b.csv
File-Size: 11
"""


def remote(name: str, size: int = 10, later: int = 0) -> RemoteFile:
    return RemoteFile(f"/in/{name}", name, size, NOON + timedelta(seconds=later))


def found(listing: list[RemoteFile], rules: ArrivalRules, manifest: bytes | None = None) -> dict[str, str | None]:
    said = [(file, read_manifest(manifest or b"", file.path)) for file in listing if rules.is_manifest(file.name)]
    arrivals = look(listing, (), rules, said)
    return {file.name: None for file in arrivals.taken} | {each.file.name: each.reason for each in arrivals.not_taken}


@pytest.mark.parametrize("marker", ["a.csv.fin", "a.fin"])
def test_a_marker_makes_a_second_look_needless(marker: str) -> None:
    rules = ArrivalRules.of("*", marker=".fin")
    listing = [remote("a.csv"), remote(marker, 0, later=1), remote("b.csv")]
    assert found(listing, rules) == {"a.csv": None, marker: Reason.MARKER, "b.csv": Reason.NOT_VOUCHED}


def test_a_marker_that_an_earlier_file_left_does_not_count() -> None:
    rules = ArrivalRules.of("*.csv", marker=".done")
    assert found([remote("a.csv"), remote("a.done", 0, later=-1)], rules)["a.csv"] == Reason.NOT_VOUCHED
    assert found([remote("a.csv"), remote("a.done", 0)], rules)["a.csv"] is None


def test_a_manifest_vouches_for_what_it_names_and_is_itself_no_data() -> None:
    rules = ArrivalRules.of("*", manifest="*.manifest")
    listing = [remote("a.csv"), remote("b.csv"), remote("c.csv"), remote("x.manifest", later=1)]
    assert found(listing, rules, OURS) == {
        "a.csv": None,
        "b.csv": Reason.NOT_WHOLE,
        "c.csv": Reason.NOT_VOUCHED,
        "x.manifest": Reason.MANIFEST,
    }
    assert found([remote("a.csv", later=5), remote("x.manifest")], rules, OURS)["a.csv"] == Reason.NOT_VOUCHED


def test_manifests_of_two_kinds_are_read_and_others_vouch_for_nothing() -> None:
    ours = read_manifest(OURS, "/in/x.manifest")
    assert ours["a.csv"] == Voucher(
        "/in/x.manifest",
        marker=False,
        size=10,
        md5="0cc175b9c0f1b6a831c399e269772661",
        sha256="ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        rows=3,
    )
    sums = b"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  out/a.csv\r\n" + b"0" * 32 + b" *b.csv\n"
    read = read_manifest(sums, "m")
    assert (read["a.csv"].sha256 or "")[:4] == "ca97"
    assert read["b.csv"].md5 == "0" * 32
    assert read_manifest(b"\xff\x00 nothing of use", "m") == {}
