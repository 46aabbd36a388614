"""Login details by mail, through Airflow's SMTP connection."""

from __future__ import annotations

from datetime import datetime, timedelta

from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
from data_connections.gateway.login_links import mail_link
from data_connections.ledger import Ledger
from data_connections.settings import Settings
from hooks.mail_server import mail_server

SMTP = "smtp_default"


def mail_login(
    ledger: Ledger, settings: Settings, login: str, recipient: str, who: str, *, valid_for: timedelta, smtp: str = SMTP
) -> datetime:
    """Mail a link that shows the details of a login once, and return until when it works.

    Args:
        ledger: The ledger.
        settings: The installation's.
        login: The login.
        recipient: Who gets the mail.
        who: Who has it mailed.
        valid_for: How long the link works.
        smtp: Airflow's SMTP connection.

    Raises:
        UnknownName: There is no such login.
        ConfigurationError: The gateway does not serve the page, or there is no such SMTP connection.
        EndpointError: The mail server does not take the mail; the link is forgotten.
    """
    address = GatewayAddress.find(GatewayConfiguration.from_environment(settings)).links
    server = mail_server(smtp)
    return mail_link(
        ledger,
        login,
        recipient,
        who,
        address=address,
        sender=server.sender,
        send=lambda letter: server.send(letter.as_bytes(), letter.recipients),
        valid_for=valid_for,
    )
