"""Credentials that the wizard makes on the way: a login at the partner's server, or at the mail server."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from ui.airflow_logins import known_logins
from ui.credentials import SLUG, LoginGiven, Server, save_login
from ui.draft import Draft
from ui.visitor import Visitor

NEW = ("name", "login", "kind", "password", "host", "port", "sender", "tls")
_SERVERS: dict[tuple[str, str], Server] = {
    ("ftp", "inbound"): "ftp",
    ("ftp", "outbound"): "ftp",
    ("email", "inbound"): "imap",
    ("email", "outbound"): "smtp",
}
"""What new credentials log in to, where it is not SFTP."""


def server_of(draft: Mapping[str, str]) -> Server:
    """Return what credentials of the drafted connection log in to."""
    return _SERVERS.get((draft["method"], draft["direction"]), "sftp")


def make_credentials(ledger: Ledger, visitor: Visitor, draft: Draft) -> list[ConfigurationError]:
    """Store the credentials that the step was told to make, and choose them; return what is wrong with them."""
    new = {each: draft.get(f"new_{each}", "").strip() for each in NEW}
    name = new.pop("name")
    if not name:
        if new["login"] or new["password"]:
            return [wrong("new_name", "Name what is to be stored, or leave the rest empty too.")]
        _forget_new(draft)
        return []
    visitor.must(visitor.may_create and visitor.may_use(name), f"store the credentials {name}")
    if not SLUG.fullmatch(name) or name in {each.name for each in known_logins()}:
        return [wrong("new_name", "Choose a name that is not taken, of small letters, digits, - and _.")]
    try:
        given = LoginGiven.model_validate(
            {**new, "server": server_of(draft), "password": draft.get("new_password", "")}
        )
        public = save_login(ledger, visitor, name, given)
    except ValidationError as invalid:
        return [wrong(f"new_{each['loc'][0]}", f"{each['msg']}.") for each in invalid.errors()]
    except ConfigurationError as unusable:
        return [wrong(f"new_{unusable.field or 'name'}", unusable.message)]
    draft["credentials"] = name
    _forget_new(draft)
    if public:
        draft["public_key"] = public
    return []


def _forget_new(draft: Draft) -> None:
    for each in NEW:
        draft.pop(f"new_{each}", None)


def wrong(field: str, message: str) -> ConfigurationError:
    """Return a mistake that stands beside a field."""
    return ConfigurationError(message, field=field)
