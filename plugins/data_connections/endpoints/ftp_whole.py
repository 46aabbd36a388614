"""Listings of an FTP server that are known to be whole: none that broke off is taken for a shorter one."""

from __future__ import annotations

from data_connections.endpoints.ftp_session import FtpSession
from data_connections.errors import RetriableEndpointError

LISTINGS = 4
"""How often a folder is listed at most until two listings agree, at a server that never ends TLS."""


def whole_listing(session: FtpSession, command: str, *, ends_tls: bool) -> bytes:
    """Return the answer to MLSD, LIST or NLST in the session's current folder; it blocks.

    Args:
        session: Logged in, and in that folder.
        command: Which of the three.
        ends_tls: Whether the server ends TLS on its data connections; see ``FtpHost.ends_tls``.

    Raises:
        RetriableEndpointError: A part of it is missing, or may be.
        ftplib.Error: The server says no.
    """
    before = None
    for _ in range(LISTINGS):
        listed = session.listing(command)
        if listed and not listed.endswith(b"\n"):
            raise _not_whole(session, "the listing ended within a line, and the server called it complete")
        if not session.broke_off:
            return listed
        if ends_tls:
            raise _not_whole(
                session,
                "the connection broke off before the server ended TLS, so a part of the listing may be missing",
                "Where this server never ends TLS, as some old ones, ask whoever runs it for a newer one, or say "
                "`ends_tls: false` in the details.",
            )
        lines = sorted(listed.splitlines())
        if lines == before:
            return listed
        before = lines
    raise _not_whole(
        session, f"{LISTINGS} listings in a row differ: files come and go just now, or the line breaks off"
    )


def _not_whole(session: FtpSession, what: str, advice: str = "") -> RetriableEndpointError:
    return RetriableEndpointError(
        f"{session.address}: listing the folder: {what}. Nothing of it is taken; it is tried again. {advice}".rstrip()
    )
