"""Credentials that the wizard makes or changes on the way: a login at the partner's server, or at the mail server."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from ui.airflow_logins import known_logins
from ui.credentials import SLUG, LoginGiven, Server, save_login
from ui.draft import CHOSEN, Draft
from ui.visitor import Visitor

NEW = ("name", "login", "kind", "password", "host", "port", "sender", "tls")
EDITED = ("login", "kind", "password")
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
    """Store the credentials that the step was told to make or to change, and choose them; return what is wrong."""
    edited = {each: draft.get(f"edit_{each}", "").strip() for each in EDITED}
    if edited["login"] or edited["password"] or edited["kind"] == "new_key":
        name = draft.get("credentials", "")
        if name not in {each.name for each in known_logins()}:
            return [wrong("credentials", "Choose which of Airflow's credentials are to be changed.")]
        return _store(ledger, visitor, draft, name, "edit", edited)
    new = {each: draft.get(f"new_{each}", "").strip() for each in NEW}
    name = new.pop("name")
    if not name:
        if new["login"] or new["password"]:
            return [wrong("new_name", "Name what is to be stored, or leave the rest empty too.")]
        _forget_new(draft)
        return []
    if not SLUG.fullmatch(name) or name in {each.name for each in known_logins()}:
        return [wrong("new_name", "Choose a name that is not taken, of small letters, digits, - and _.")]
    return _store(ledger, visitor, draft, name, "new", new)


def _store(
    ledger: Ledger, visitor: Visitor, draft: Draft, name: str, way: str, fields: Mapping[str, str]
) -> list[ConfigurationError]:
    visitor.must(visitor.may_create and visitor.may_use(name), f"store the credentials {name}")
    try:
        filled = {each: value for each, value in fields.items() if value}
        own = {"server": server_of(draft), "password": draft.get(f"{way}_password", "")}
        given = LoginGiven.model_validate({**filled, **own})
        public = save_login(ledger, visitor, name, given)
    except ValidationError as invalid:
        return [wrong(f"{way}_{each['loc'][0]}", f"{each['msg']}.") for each in invalid.errors()]
    except ConfigurationError as unusable:
        return [wrong(f"{way}_{unusable.field or 'login'}", unusable.message)]
    draft["credentials"] = name
    _forget_new(draft)
    if public:
        draft["public_key"] = public
    return []


def _forget_new(draft: Draft) -> None:
    for each in NEW:
        draft.pop(f"new_{each}", None)
    for each in EDITED:
        draft.pop(f"edit_{each}", None)
    draft["new_kind"] = CHOSEN["new_kind"]


def wrong(field: str, message: str) -> ConfigurationError:
    """Return a mistake that stands beside a field."""
    return ConfigurationError(message, field=field)
