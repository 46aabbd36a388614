from __future__ import annotations

import asyncssh
import pytest

from data_connections.errors import ConfigurationError
from hooks.login import Login

KEY = asyncssh.generate_private_key("ssh-ed25519")
PLAIN = KEY.export_private_key().decode()
LOCKED = KEY.export_private_key(passphrase="secret words").decode()


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (Login(password="p"), "needs a --login"),
        (Login("me"), "needs a password or a private key"),
        (Login("me", private_key=LOCKED), "passphrase is missing or wrong"),
        (Login("me", private_key=LOCKED, passphrase="other words"), "passphrase is missing or wrong"),
        (Login("me", private_key="hello"), "cannot be read"),
    ],
)
def test_a_login_that_is_of_no_use_is_refused(login: Login, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        login.check("partner")


@pytest.mark.parametrize(
    "login",
    [
        Login("me", password="p"),
        Login("me", private_key=PLAIN),
        Login("me", private_key=LOCKED, passphrase="secret words"),
    ],
)
def test_a_login_that_can_be_used_is_taken(login: Login) -> None:
    login.check("partner")


def test_what_is_left_out_stays_as_it_was() -> None:
    kept = Login("me", "old", LOCKED, "secret words", ("ssh-ed25519 AAAA",))

    assert Login(password="new").over(kept) == Login("me", "new", LOCKED, "secret words", ("ssh-ed25519 AAAA",))
    assert Login(private_key=PLAIN).over(kept) == Login("me", "old", PLAIN, None, ("ssh-ed25519 AAAA",))
    assert Login("you").over(None) == Login("you")


def test_nothing_of_it_shows_a_secret() -> None:
    login = Login("me", "hunter2", PLAIN, "hunter3")

    assert not any(secret in repr(login) + str(login.parts()) for secret in ("hunter2", "hunter3", "BEGIN"))
