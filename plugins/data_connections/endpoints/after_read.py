"""What happens to a partner's file once its outcome stands in the ledger: claimed by rename, then deleted or moved.

Only the very file that was fetched is touched. The claim's name depends on the token alone, so a run that takes up
the work of one that died finds the claim again.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from data_connections.endpoints.contract import Endpoint, RemoteFile
from data_connections.endpoints.names import join, shown, split
from data_connections.endpoints.publish import LONGEST_NAME
from data_connections.errors import EndpointFileExists, EndpointFileMissing, FileChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

CLAIMED_SUFFIX = ".claimed"
MOST_NAMESAKES = 100


def claimed_path(path: str, token: str) -> str:
    """Return where the file at ``path`` lies while it is claimed under ``token``: the same folder, a hidden name."""
    folder, name = split(path)
    full = f".{name}.{token}{CLAIMED_SUFFIX}"
    return join(folder, full if len(full.encode()) <= LONGEST_NAME else f".{token}{CLAIMED_SUFFIX}")


async def claim_by_rename(endpoint: Endpoint, file: RemoteFile, token: str) -> RemoteFile:
    """Rename ``file`` so that nobody else takes or writes it, and make sure it is still the one that was fetched.

    Args:
        endpoint: Where it lies.
        file: Its state when it was fetched.
        token: Names the claim; the same for every try of one submission.

    Returns:
        The file under its claimed name.

    Raises:
        FileChanged: Another file lies there now; it keeps, or got back, its name.
        EndpointFileMissing: It is gone.
    """
    claimed = claimed_path(file.path, token)
    try:
        now = await endpoint.stat(file.path)
    except EndpointFileMissing:
        now = await endpoint.stat(claimed)
    else:
        if not file.same_state(now):
            raise _not_the_one(endpoint, file, "it was left alone")
        await endpoint.move(file.path, claimed)
        now = await endpoint.stat(claimed)
    if not file.same_state(now):
        raise _not_the_one(endpoint, file, f"it lies at {shown(await _put_back(endpoint, now, file))!r}")
    return now


def _not_the_one(endpoint: Endpoint, file: RemoteFile, rest: str) -> FileChanged:
    return FileChanged(
        f"{endpoint.address}: {shown(file.path)!r} is not the file that was fetched any more (its size or time "
        f"changed); {rest}, and the next look takes it as a new file."
    )


async def _put_back(endpoint: Endpoint, claimed: RemoteFile, file: RemoteFile) -> str:
    folder, name = split(file.path)
    return await _move_free(endpoint, claimed, folder, name)


async def move_to_folder(endpoint: Endpoint, file: RemoteFile, folder: str, name: str) -> str:
    """Move a claimed file into ``folder``, made if missing, and return its path; it never replaces another.

    Args:
        endpoint: Where it lies.
        file: The claimed file.
        folder: Where to, such as ``/in/done``.
        name: Its name there; where that is taken, the file's time and if need be a number are put before the suffix.
    """
    await endpoint.make_folder(folder)
    return await _move_free(endpoint, file, folder, name)


async def _move_free(endpoint: Endpoint, file: RemoteFile, folder: str, name: str) -> str:
    for candidate in _namesakes(name, file):
        target = join(folder, candidate)
        try:
            await endpoint.move(file.path, target)
        except EndpointFileExists:
            continue
        return target
    raise EndpointFileExists(
        f"{endpoint.address}: {shown(folder)!r} holds {MOST_NAMESAKES} files like {shown(name)!r}. Clear it out."
    )


def _namesakes(name: str, file: RemoteFile) -> Iterator[str]:
    yield name
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    stamped = f"{stem}_{file.mtime:%Y%m%dT%H%M%SZ}"
    yield stamped + suffix
    for number in range(2, MOST_NAMESAKES + 1):
        yield f"{stamped}_{number}{suffix}"


async def delete_after_read(endpoint: Endpoint, file: RemoteFile, token: str) -> None:
    """Delete the very file that was fetched; errors as in ``claim_by_rename``."""
    await endpoint.delete((await claim_by_rename(endpoint, file, token)).path)


async def move_after_read(endpoint: Endpoint, file: RemoteFile, token: str, folder: str) -> str:
    """Move the very file that was fetched into ``folder`` and return its path; errors as in ``claim_by_rename``.

    A relative folder lies in the file's own.
    """
    target = folder if folder.startswith("/") else join(split(file.path)[0], folder)
    claimed = await claim_by_rename(endpoint, file, token)
    return await move_to_folder(endpoint, claimed, target, file.name)
