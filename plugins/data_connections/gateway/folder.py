"""A partner's folder at the gateway: what a login may see and do in it, whichever protocol it comes by.

::

    HOSTED/<connection id>/files/            what the login sees as /
                                 test/       trial files
                                 results/    what we answer
                           incoming/         uploads that are not complete; no login sees them
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_connections.endpoints.after_read import CLAIMED_SUFFIX
from data_connections.gateway.refusals import Cause, Refused
from data_connections.gateway.room import FolderRoom
from data_connections.gateway.transfers import Download, Upload

FILES, INCOMING, TRIALS = "files", "incoming", b"test"
LONGEST_NAME = 255
_HIDDEN_ENDS = (CLAIMED_SUFFIX.encode(), b".part")


@dataclass(frozen=True)
class FolderRules:
    """What a login may do.

    Attributes:
        takes_uploads: Partners put files here; else they only collect what we put.
        most_bytes: Bytes of one file.
        quota_bytes: Bytes of all files together.
        quota_files: Files.
        folders: Folders that are there from the beginning.
    """

    takes_uploads: bool
    most_bytes: int
    quota_bytes: int
    quota_files: int
    folders: tuple[str, ...] = ()


class PartnerFolder:
    """One connection's folder; every path is what the login sees, as bytes, absolute or relative to ``/``.

    Args:
        place: ``HOSTED/<connection id>``.
        rules: What may be done.
    """

    def __init__(self, place: Path, rules: FolderRules) -> None:
        self.files = place / FILES
        self.rules = rules
        self.open_uploads: set[Upload] = set()
        self.open_downloads: set[Download] = set()
        self._incoming = place / INCOMING
        self._room = FolderRoom(self.files, rules.quota_bytes, rules.quota_files)
        prepare_folder(place, rules.folders)

    def change_rules(self, rules: FolderRules) -> None:
        """Go on with other rules, such as after a new revision."""
        if rules != self.rules:
            self.rules = rules
            self._room.most_bytes, self._room.most_files = rules.quota_bytes, rules.quota_files

    def normal(self, path: bytes) -> bytes:
        """Return the absolute form of a path, the one that the login is shown: no ``..`` leads above ``/``."""
        return b"/" + b"/".join(_parts(path))

    def stat(self, path: bytes) -> os.stat_result:
        """Return the state of a file or folder.

        Raises:
            Refused: It is not there, for this login.
        """
        return os.lstat(self._local(_parts(path)))

    def entries(self, path: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
        """Yield the names in a folder with their states; names of ours, such as of claimed files, are left out.

        Raises:
            Refused: There is no such folder.
        """
        local = self._local(_parts(path))
        if not stat.S_ISDIR(os.lstat(local).st_mode):
            raise Refused(Cause.MISSING, "There is no such folder.")
        with os.scandir(os.fsencode(local)) as found:
            for entry in found:
                try:
                    state = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if _is_shown(entry.name, state):
                    yield entry.name, state

    def upload(self, path: bytes) -> Upload:
        """Begin to take a file.

        Raises:
            Refused: The login may not put a file there, or the folder is full.
        """
        parts = self._writable(path)
        self._room.take_file(sum(each.size for each in tuple(self.open_uploads)))
        temporary = self._incoming / secrets.token_hex(16)
        upload = Upload(
            b"/" + b"/".join(parts),
            self._joined(parts),
            temporary,
            self.rules.most_bytes,
            self._room,
            lambda: self.open_uploads.discard(upload),
        )
        self.open_uploads.add(upload)
        return upload

    def download(self, path: bytes) -> Download:
        """Begin to hand out a file.

        Raises:
            Refused: There is no such file, for this login.
        """
        parts = _parts(path)
        local = self._local(parts)
        if not stat.S_ISREG(os.lstat(local).st_mode):
            raise Refused(Cause.DENIED, "That is no file.")
        try:
            download = Download(b"/" + b"/".join(parts), local, lambda: self.open_downloads.discard(download))
        except OSError as gone:
            raise Refused(Cause.MISSING, "There is no such file.") from gone
        self.open_downloads.add(download)
        return download

    def delete(self, path: bytes) -> bytes:
        """Delete a file and return its path.

        Raises:
            Refused: There is no such file.
        """
        parts = _parts(path)
        local = self._local(parts)
        if not stat.S_ISREG(os.lstat(local).st_mode):
            raise Refused(Cause.DENIED, "Only files can be deleted.")
        local.unlink(missing_ok=True)
        return b"/" + b"/".join(parts)

    def move(self, old: bytes, new: bytes, *, replace: bool) -> bytes:
        """Rename a file between places that take uploads, and return its new path.

        Raises:
            Refused: Either is not such a place, there is no such file, or the new name is taken.
        """
        source, parts = self._local(self._writable(old)), self._writable(new)
        target = self._joined(parts)
        if not stat.S_ISREG(os.lstat(source).st_mode):
            raise Refused(Cause.DENIED, "Only files can be renamed.")
        try:
            if replace:
                source.replace(target)
            else:
                target.hardlink_to(source)
                source.unlink()
        except FileExistsError as taken:
            raise Refused(Cause.EXISTS, "A file of that name is there already.") from taken
        except OSError as failed:
            raise Refused(Cause.MISSING, "There is no such file.") from failed
        return b"/" + b"/".join(parts)

    def _writable(self, path: bytes) -> list[bytes]:
        parts = _parts(path)
        if not self.rules.takes_uploads:
            raise Refused(Cause.DENIED, "Files are only collected here; this login cannot put or rename any.")
        in_place = len(parts) == 1 or (len(parts) == 2 and parts[0] == TRIALS)
        if not in_place or parts == [TRIALS]:
            raise Refused(Cause.DENIED, "Files go into the main folder, /, or into /test to try them out.")
        if len(parts[-1]) > LONGEST_NAME or parts[-1].endswith(_HIDDEN_ENDS[0]):
            raise Refused(Cause.DENIED, "A file cannot have that name.")
        target = self._joined(parts)
        if target.is_symlink() or target.is_dir():
            raise Refused(Cause.DENIED, "A folder has that name.")
        return parts

    def _local(self, parts: list[bytes]) -> Path:
        """Return the place of something that is there; no link is followed, so nothing leads outside."""
        local = self.files
        for part in parts:
            local = local / os.fsdecode(part)
            try:
                state = local.lstat()
            except (OSError, ValueError) as gone:
                raise Refused(Cause.MISSING, "There is no such file or folder.") from gone
            if not _is_shown(b"", state):
                raise Refused(Cause.MISSING, "There is no such file or folder.")
        return local

    def _joined(self, parts: list[bytes]) -> Path:
        return self.files.joinpath(*map(os.fsdecode, parts))


def prepare_folder(place: Path, folders: tuple[str, ...]) -> None:
    """Make the folders of a connection; those that are there stay as they are."""
    for name in (FILES, INCOMING):
        (place / name).mkdir(mode=0o750, parents=True, exist_ok=True)
    for folder in folders:
        (place / FILES).joinpath(*map(os.fsdecode, _parts(os.fsencode(folder)))).mkdir(
            mode=0o750, parents=True, exist_ok=True
        )


def _parts(path: bytes) -> list[bytes]:
    if b"\0" in path:
        raise Refused(Cause.MISSING, "There is no such file or folder.")
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return parts


def _is_shown(name: bytes, state: os.stat_result) -> bool:
    if not (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):
        return False
    return not (name.startswith(b".") and name.endswith(_HIDDEN_ENDS))
