from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from upath import UPath

from data_connections.landing import Landing
from data_connections.landing.area import OriginalDamaged

BYTES = b"OrderId\n1\n"


@pytest.fixture(params=["folder", "file url", "memory url", "path object"])
def landing(request: pytest.FixtureRequest, tmp_path: Path) -> Landing:
    roots = {
        "folder": str(tmp_path / "landing"),
        "file url": f"file://{tmp_path}/landing",
        "memory url": f"memory://{tmp_path.name}",
        "path object": UPath(tmp_path / "landing"),
    }
    return Landing(roots[request.param])


def files_in(landing: Landing, folder: str) -> list[str]:
    root = landing._root / folder
    return sorted(path.name for path in root.rglob("*") if path.is_file()) if root.exists() else []


def test_a_file_is_kept_under_its_hash_once(landing: Landing) -> None:
    first, second = landing.keep_file(io.BytesIO(BYTES)), landing.keep_file(io.BytesIO(BYTES))

    assert first == second
    assert (first.sha256, first.size) == (hashlib.sha256(BYTES).hexdigest(), len(BYTES))
    assert landing.open(first.key).read() == BYTES
    assert files_in(landing, "originals") == [first.sha256]
    assert files_in(landing, "incoming") == []


def test_a_file_that_does_not_arrive_whole_is_forgotten(landing: Landing) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            block = super().read(4)
            if not block:
                raise ConnectionResetError
            return block

    with pytest.raises(ConnectionResetError):
        landing.keep_file(Cut(BYTES))

    assert files_in(landing, "originals") + files_in(landing, "incoming") == []


def test_a_damaged_original_is_noticed_when_it_is_read(landing: Landing) -> None:
    kept = landing.keep_file(io.BytesIO(BYTES))
    with landing.open_verified(kept.key) as whole:
        assert [whole.read(4), whole.read(100), whole.read(100)] == [BYTES[:4], BYTES[4:], b""]
    (landing._root / kept.key).write_bytes(BYTES.replace(b"1", b"2"))

    with landing.open_verified(kept.key) as damaged:
        damaged.read(100)
        with pytest.raises(OriginalDamaged, match=kept.key):
            damaged.read(100)


def test_an_original_of_another_length_is_replaced_by_the_right_one(landing: Landing) -> None:
    kept = landing.keep_file(io.BytesIO(BYTES))
    (landing._root / kept.key).write_bytes(b"half")
    landing.keep_file(io.BytesIO(BYTES))

    assert landing.open(kept.key).read() == BYTES


def test_a_missing_original_says_what_to_do(landing: Landing) -> None:
    with pytest.raises(OriginalDamaged, match="CONNECTIONS_LANDING_URL"):
        landing.open("originals/00/0000")


def test_what_nobody_goes_on_writing_is_dropped(landing: Landing) -> None:
    landing.write("journal/2026-01-01/a.json", b"{}")
    (landing._root / "incoming" / "dead").write_bytes(b"half")
    assert landing.drop_unfinished(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    assert landing.drop_unfinished(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert landing.delete_folder("journal/2026-01-01") == 1
    assert landing.delete_folder("journal/2026-01-01") == 0
    assert landing.names("journal") == landing.names("incoming") == []
