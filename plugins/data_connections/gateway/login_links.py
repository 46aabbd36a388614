"""Login details by mail: a link that shows them once, at which moment the password is made.

So no password ever lies in a mailbox, and whoever finds the link used knows that somebody else was there.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from data_connections.catalog import activity
from data_connections.endpoints.mail_writing import Letter
from data_connections.gateway.logins import NewSecret, add_password
from data_connections.ledger import Ledger, hosted_links, hosted_logins
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.hosted_links import HostedLink

VALID_FOR = timedelta(days=3)
OVERLAP = timedelta(days=14)


class LinkState(Enum):
    """What has become of a link."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Opened:
    """What a link shows.

    Attributes:
        state: What has become of it.
        link: The link; None where there is none.
        password: A new password, shown this once; None where the login has none, or nothing is shown.
    """

    state: LinkState
    link: HostedLink | None = None
    password: str | None = None


def mail_link(
    ledger: Ledger,
    login: str,
    recipient: str,
    who: str,
    *,
    address: str,
    sender: str,
    send: Callable[[Letter], object],
    valid_for: timedelta = VALID_FOR,
) -> datetime:
    """Mail a link to the details of a login, and return until when it works.

    Args:
        ledger: The ledger.
        login: The login.
        recipient: Who gets it.
        who: Who has it mailed; stands in the activity log.
        address: What the link begins with.
        sender: Address that the mail is from.
        send: Sends a mail; whatever it raises comes out here, and the link is forgotten.
        valid_for: How long it works.

    Raises:
        UnknownName: There is no such login.
    """
    token, until = secrets.token_urlsafe(32), datetime.now(UTC) + valid_for
    with ledger.connect() as connection:
        login_id, connection_id = hosted_logins.find_login(connection, login)
        link_id = hosted_links.add(connection, login_id, token, recipient, who, until)
        activity.record(
            connection,
            who,
            "login.link_mailed",
            login,
            connection_id=connection_id,
            details={"link": link_id, "recipient": recipient, "until": until.isoformat()},
        )
    try:
        send(_letter(link_id, login, recipient, sender, f"{address.rstrip('/')}/login/{token}", until))
    except BaseException:
        with ledger.connect() as connection:
            hosted_links.forget(connection, link_id)
        raise
    return until


def _letter(link_id: int, login: str, recipient: str, sender: str, link: str, until: datetime) -> Letter:
    return Letter(
        key=f"login-link.{link_id}.{secrets.token_hex(8)}",
        sender=sender,
        to=(recipient,),
        subject=f"Your login {login} for file transfers",
        lines=(
            "Somebody at our side made a login for you, with which files are exchanged.",
            f"Its details, and the password if it has one, are shown once, here:\n{link}",
            f"The link works until {until:%Y-%m-%d %H:%M} UTC. If it tells you that it was used, and you did not use "
            "it, please tell us: somebody else has seen them.",
        ),
        at=datetime.now(UTC),
    )


def look_at(ledger: Ledger, token: str) -> Opened:
    """Return what has become of a link, without using it: programs that scan mails look at links too."""
    with ledger.connect() as connection:
        link = hosted_links.find(connection, token)
    return Opened(_state_of(link), link)


def open_link(ledger: Ledger, token: str, address: str, *, has_password: bool) -> Opened:
    """Use a link: make a password and return it, once; later tries are told so and written down.

    Passwords that the login had and never used end at once, others after two weeks.

    Args:
        ledger: The ledger.
        token: What the link ends with.
        address: Where whoever uses it is.
        has_password: Whether logins of the connection may have passwords.
    """
    with ledger.connect() as connection:
        link = hosted_links.find(connection, token)
        state = _state_of(link)
        if link is None:
            return Opened(state)
        what = "login.link_used" if state is LinkState.OPEN else f"login.link_tried_{state.value}"
        details = {"link": link.id, "address": address, "recipient": link.recipient}
        activity.record(connection, "gateway", what, link.login, connection_id=link.connection_id, details=details)
        if state is not LinkState.OPEN:
            return Opened(state, link)
        hosted_links.mark_used(connection, link.id, address)
        made = _new_password(connection, link) if has_password else None
    return Opened(state, link, made.password if made else None)


def _new_password(connection: LedgerConnection, link: HostedLink) -> NewSecret | None:
    """Make a password, unless the login is proven by public keys alone."""
    now = datetime.now(UTC)
    valid = [each for each in hosted_logins.secrets_of(connection, link.login_id) if each.is_valid(now)]
    if valid and not any(each.kind == "password" for each in valid):
        return None
    made = add_password(connection, link.login_id, link.login, f"link {link.id}", label=f"link to {link.recipient}")
    for each in valid:
        if each.kind == "password" and not each.uses:
            hosted_logins.retire_secret(connection, link.login_id, each.id)
    hosted_logins.end_others(connection, link.login_id, made.secret_id, now + OVERLAP, kind="password")
    return made


def _state_of(link: HostedLink | None) -> LinkState:
    if link is None:
        return LinkState.UNKNOWN
    if link.used_at is not None:
        return LinkState.USED
    if link.retired_at is not None or link.expires_at <= datetime.now(UTC):
        return LinkState.EXPIRED
    return LinkState.OPEN
