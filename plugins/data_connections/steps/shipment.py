"""A set of files that appears at the receiver whole or not at all.

Everything is uploaded under temporary names and compared first; only then do the names change, one right after
another: what vouches for an earlier set goes away, the files appear, and last the markers that vouch for them. What
fails in between is taken back, so that no part of a set stands without the rest; a try that was killed is finished by
the next, which sends again only what is not there whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from data_connections.endpoints.blocking import BlockingEndpoint
from data_connections.endpoints.names import join, split
from data_connections.endpoints.publish import StagedFile, refuse_existing, stage, temporary_name
from data_connections.errors import EndpointError, EndpointFileExists, EndpointFileMissing, FatalEndpointError


@dataclass(frozen=True)
class Piece:
    """One file of a set.

    Attributes:
        path: Its final path.
        size: Bytes.
        sha256: Hexadecimal hash of the bytes.
        blocks: Yields the bytes; it raises at their end where they are not those of the hash.
        vouches: Whether it says that the others are whole (manifest, ``.fin``), so that it comes last.
    """

    path: str
    size: int
    sha256: str
    blocks: Callable[[], Iterator[bytes]]
    vouches: bool = False


@dataclass(frozen=True)
class Earlier:
    """What earlier deliveries left where this one goes: paths of files, and of what vouches for them."""

    files: Sequence[str] = ()
    markers: Sequence[str] = ()


def ship(
    endpoint: BlockingEndpoint, pieces: Sequence[Piece], token: str, *, replace: bool, again: bool, earlier: Earlier
) -> None:
    """Put a set of files under their final names.

    Args:
        endpoint: The receiver.
        pieces: The files in their order, what vouches for them last.
        token: Makes temporary names unique; the same whenever this set is tried.
        replace: Whether files of these names may be replaced, and earlier ones taken away.
        again: An earlier try may have put some of them there.
        earlier: What is taken away where files are replaced.

    Raises:
        EndpointFileExists: A name is taken and ``replace`` is not set; nothing of the set is left there.
        EndpointError: It did not get through; the set is not to be seen unless the receiver cannot be reached.
    """
    if again:
        _remove(endpoint, [_part_of(piece.path, token) for piece in pieces])
    standing = {piece.path for piece in pieces if again and _stands(endpoint, piece)}
    if len(standing) == len(pieces):
        return
    if any(piece.path not in standing and not piece.vouches for piece in pieces):
        standing -= {piece.path for piece in pieces if piece.vouches}
    missing = [piece for piece in pieces if piece.path not in standing]
    if not replace:
        _refuse_taken(endpoint, missing, standing)
    staged = _stage(endpoint, missing, token)
    try:
        _reveal(endpoint, pieces, staged, replace=replace, earlier=earlier)
    except BaseException:
        _clear_away(endpoint, (file.part for file in staged))
        raise


def _refuse_taken(endpoint: BlockingEndpoint, missing: Sequence[Piece], standing: Iterable[str]) -> None:
    try:
        for piece in missing:
            endpoint.run(refuse_existing, piece.path)
    except EndpointFileExists:
        _clear_away(endpoint, standing)
        raise


def _stage(endpoint: BlockingEndpoint, pieces: Sequence[Piece], token: str) -> list[StagedFile]:
    staged: list[StagedFile] = []
    try:
        staged.extend(endpoint.run(stage, piece.path, piece.blocks(), token=token) for piece in pieces)
    except BaseException:
        _clear_away(endpoint, [file.part for file in staged])
        raise
    return staged


def _part_of(path: str, token: str) -> str:
    folder, name = split(path)
    return join(folder, temporary_name(name, token))


def _reveal(
    endpoint: BlockingEndpoint,
    pieces: Sequence[Piece],
    staged: Sequence[StagedFile],
    *,
    replace: bool,
    earlier: Earlier,
) -> None:
    vouching = {piece.path for piece in pieces if piece.vouches}
    own = {piece.path for piece in pieces}
    files = [file for file in staged if file.path not in vouching]
    markers = [file for file in staged if file.path in vouching]
    if files and replace:
        _remove(endpoint, sorted({*vouching, *earlier.markers}))
    shown: list[str] = []
    try:
        _move(endpoint, files, shown, replace=replace)
        if replace:
            _remove(endpoint, sorted({*earlier.files, *earlier.markers} - own))
        _move(endpoint, markers, shown, replace=replace)
    except BaseException as trouble:
        if len(pieces) > 1:
            if isinstance(trouble, EndpointError) and _all_stand(endpoint, pieces):
                return
            _clear_away(endpoint, reversed(shown[:-1] if isinstance(trouble, EndpointFileExists) else shown))
        raise


def _move(endpoint: BlockingEndpoint, files: Iterable[StagedFile], shown: list[str], *, replace: bool) -> None:
    for file in files:
        shown.append(file.path)
        endpoint.move(file.part, file.path, replace=replace)


def _remove(endpoint: BlockingEndpoint, paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(EndpointFileMissing):
            endpoint.delete(path)


def _clear_away(endpoint: BlockingEndpoint, paths: Iterable[str]) -> None:
    """Delete what can be deleted; the trouble that led here is what counts."""
    with suppress(EndpointError):
        _remove(endpoint, paths)


def _all_stand(endpoint: BlockingEndpoint, pieces: Sequence[Piece]) -> bool:
    with suppress(EndpointError):
        return all(_stands(endpoint, piece) for piece in pieces)
    return False


def _stands(endpoint: BlockingEndpoint, piece: Piece) -> bool:
    """Whether the file is there whole. One that may not be read does not count: it is sent again."""
    try:
        found = endpoint.stat(piece.path)
        if found.size != piece.size:
            return False
        return endpoint.fetch(found, lambda block: None).sha256 == piece.sha256
    except (EndpointFileMissing, FatalEndpointError):
        return False
