"""Secrets of an installation in files: made once, renewed when asked, readable by their user alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet

from command_line.airflow_api import _password
from data_connections.errors import ConfigurationError
from deployment.kept_secrets import begin_fernet_rotation, end_fernet_rotation, make_secrets, renew
from local_stack.keys import Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path / "keys")
    make_secrets(made)
    return made


def contents(keys: Keys) -> dict[str, str]:
    return {path.name: path.read_text() for path in keys.folder.iterdir()}


def test_they_are_made_once_and_for_their_user_alone(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(keys)
    names = make_secrets(keys)
    assert contents(keys) == before
    assert names == sorted(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.folder.iterdir()} == {0o600}
    assert before["postgres_password"] in before["pgpass"]
    assert f"requirepass {before['redis_password']}\n" in before["redis.conf"]
    assert before["broker_url"] == f"redis://:{before['redis_password']}@redis:6379/0"
    assert len({before[name] for name in ("fernet_key", "jwt_secret", "api_secret", "gateway_password")}) == 4


def test_a_password_of_ones_own_reaches_every_file_that_holds_it(keys: Keys) -> None:
    (keys.folder / "postgres_password").write_text("with:colon\\and slash\n")
    make_secrets(keys)
    assert contents(keys)["pgpass"] == "*:*:*:connections:with\\:colon\\\\and slash\n"


def test_a_fernet_key_is_rotated_in_two_steps(keys: Keys) -> None:
    old = Fernet(keys.fernet_key.encode())
    begin_fernet_rotation(keys)
    both = MultiFernet([Fernet(key.encode()) for key in keys.fernet_key.split(",")])
    secret = both.rotate(old.encrypt(b"login"))
    with pytest.raises(ConfigurationError, match="under way"):
        begin_fernet_rotation(keys)

    end_fernet_rotation(keys)
    assert Fernet(keys.fernet_key.encode()).decrypt(secret) == b"login"


def test_only_what_signs_is_renewed_by_itself(keys: Keys) -> None:
    before = contents(keys)
    renew(keys, "jwt_secret")
    after = contents(keys)
    assert {name for name in after if after[name] != before[name]} == {"jwt_secret"}
    with pytest.raises(ConfigurationError, match="cannot be renewed so"):
        renew(keys, "fernet_key")


def test_a_password_is_taken_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONNECTIONS_AIRFLOW_PASSWORD", raising=False)
    monkeypatch.setenv("CONNECTIONS_AIRFLOW_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        _password()
    (tmp_path / "password").write_text("hush\n")
    assert _password() == "hush"
