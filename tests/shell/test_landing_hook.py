from __future__ import annotations

from pathlib import Path

import pytest

from hooks.landing import LandingHook


@pytest.mark.parametrize("scheme", ["", "file://"], ids=["folder", "object-storage"])
def test_originals_are_kept_where_the_setting_says(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTIONS_LANDING_URL", f"{scheme}{tmp_path}/landing")
    landing = LandingHook().get_conn()
    for _ in range(2):
        with landing.keep() as incoming:
            incoming.write(b"OrderId\n1\n")
    with landing.open(incoming.original.key) as kept:
        assert kept.read() == b"OrderId\n1\n"
    files = [path for path in (tmp_path / "landing").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [incoming.original.sha256]
