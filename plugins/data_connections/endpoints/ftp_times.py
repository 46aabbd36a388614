"""Sizes and times that an FTP listing does not tell: asked for file by file, once while a line stays the same."""

from __future__ import annotations

import ftplib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from data_connections.endpoints.contract import RemoteFile
from data_connections.endpoints.ftp_listing import Entry
from data_connections.endpoints.ftp_session import FtpSession
from data_connections.endpoints.names import LINE_BREAKS, decode_name, join
from data_connections.errors import FatalEndpointError

# LIST tells the minute of a time; what was older than this when it was asked for cannot change within that minute.
SETTLED = timedelta(minutes=10)
_UNKNOWN = datetime.fromtimestamp(0, UTC)


class KnownTimes:
    """What was asked about the files of one endpoint's folders, by folder."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[bytes, tuple[bytes, datetime]]] = {}

    def complete(self, session: FtpSession, folder: str, entries: Iterable[Entry]) -> list[RemoteFile]:
        """Return the files among ``entries``, and ask for what they do not tell; it blocks.

        What answers to no question is no file: a folder, a pipe, a link to nothing.
        """
        files = []
        for entry in entries:
            told = self._told(folder, entry) or self._asked(session, folder, entry)
            if told is not None:
                name = decode_name(entry.name, LINE_BREAKS)
                files.append(RemoteFile(join(folder, name), name, *told))
        return files

    def _told(self, folder: str, entry: Entry) -> tuple[int, datetime] | None:
        if entry.kind != "file" or entry.size is None:
            return None
        if LINE_BREAKS & set(entry.name):
            return entry.size, entry.mtime or _UNKNOWN
        if entry.mtime is not None:
            return entry.size, entry.mtime
        line, mtime = self._folders.get(folder, {}).get(entry.name, (b"", _UNKNOWN))
        return (entry.size, mtime) if line == entry.line else None

    def _asked(self, session: FtpSession, folder: str, entry: Entry) -> tuple[int, datetime] | None:
        path = join(folder, decode_name(entry.name, LINE_BREAKS))
        try:
            if entry.kind == "file" and entry.size is not None:
                size, mtime = entry.size, session.time_of(path)
            else:
                size, mtime = session.size_and_time(path)
        except (ftplib.error_perm, FatalEndpointError):
            return None
        if entry.kind == "file" and mtime < datetime.now(UTC) - SETTLED:
            self._folders.setdefault(folder, {})[entry.name] = (entry.line, mtime)
        return size, mtime

    def forget_others(self, folder: str, entries: Iterable[Entry]) -> None:
        """Forget the files that the folder does not hold any more."""
        known = self._folders.get(folder)
        if known:
            names = {entry.name for entry in entries}
            self._folders[folder] = {name: kept for name, kept in known.items() if name in names}
