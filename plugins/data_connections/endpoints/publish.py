"""A file appears at its receiver whole under its final name, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_connections.endpoints.names import join, shown, split
from data_connections.endpoints.sources import blocks_of
from data_connections.errors import (
    EndpointError,
    EndpointFileExists,
    EndpointFileMissing,
    FatalEndpointError,
    RetriableEndpointError,
)

if TYPE_CHECKING:
    from data_connections.endpoints.contract import Endpoint, Source

LONGEST_NAME = 255
READ_BACK_UP_TO = 1024 * 1024
CLEAN_UP_WITHIN = 15.0


@dataclass(frozen=True)
class PublishedFile:
    """A file that stands whole under its final name.

    Attributes:
        path: The final path.
        size: Bytes sent, and found at the receiver.
        sha256: Hexadecimal hash of the bytes sent.
        read_back: Whether the bytes were also read back and hashed the same; else only the size was compared.
    """

    path: str
    size: int
    sha256: str
    read_back: bool


def temporary_name(name: str, token: str) -> str:
    """Return ``.name.token.part``; the name is left out where the whole would be over 255 bytes."""
    full = f".{name}.{token}.part"
    return full if len(full.encode()) <= LONGEST_NAME else f".{token}.part"


@dataclass(frozen=True)
class StagedFile:
    """A file that lies whole under its temporary name.

    Attributes:
        path: The final path.
        part: The temporary path.
        size: Bytes sent, and found at the receiver.
        sha256: Hexadecimal hash of the bytes sent.
        read_back: Whether the bytes were also read back and hashed the same; else only the size was compared.
    """

    path: str
    part: str
    size: int
    sha256: str
    read_back: bool


async def publish(
    endpoint: Endpoint,
    path: str,
    source: Source,
    *,
    replace: bool = False,
    token: str | None = None,
    name_temporary: Callable[[str, str], str] = temporary_name,
    read_back_up_to: int = READ_BACK_UP_TO,
) -> PublishedFile:
    """Upload under a temporary name in the same folder, compare, then rename.

    What SSH carries is protected on the way, so files above ``read_back_up_to`` bytes are compared by size only.
    With ``replace`` and a server without posix-rename the old file is gone for a moment before the new one appears;
    a partial one is never seen.

    Args:
        endpoint: Where to.
        path: Final path.
        source: The bytes.
        replace: Whether a file of that name may be replaced.
        token: Makes the temporary name unique; random by default.
        name_temporary: Makes a temporary name of final name and token, for partners with rules of their own.
        read_back_up_to: Files up to so many bytes are read back.

    Raises:
        EndpointFileExists: The final name is taken and ``replace`` is not set.
        RetriableEndpointError: Something went wrong on the way; the final name was not touched.
        FatalEndpointError: The login may not write there.
    """
    if not replace:
        await refuse_existing(endpoint, path)
    staged = await stage(
        endpoint, path, source, token=token, name_temporary=name_temporary, read_back_up_to=read_back_up_to
    )
    try:
        await endpoint.move(staged.part, path, replace=replace)
    except BaseException:
        await _clear(endpoint, staged.part)
        raise
    return PublishedFile(path, staged.size, staged.sha256, staged.read_back)


async def stage(
    endpoint: Endpoint,
    path: str,
    source: Source,
    *,
    token: str | None = None,
    name_temporary: Callable[[str, str], str] = temporary_name,
    read_back_up_to: int = READ_BACK_UP_TO,
) -> StagedFile:
    """Upload under a temporary name in the final folder and compare: the first half of ``publish``."""
    folder, name = split(path)
    part = join(folder, name_temporary(name, token or secrets.token_hex(8)))
    digest = hashlib.sha256()
    try:
        sent = await endpoint.upload(part, _hashed(source, digest))
        read_back = await _compare(endpoint, part, sent, digest.hexdigest(), read_back_up_to)
    except BaseException:
        await _clear(endpoint, part)
        raise
    return StagedFile(path, part, sent, digest.hexdigest(), read_back)


async def _clear(endpoint: Endpoint, part: str) -> None:
    with suppress(EndpointError, TimeoutError):
        async with asyncio.timeout(CLEAN_UP_WITHIN):
            await endpoint.delete(part)


async def refuse_existing(endpoint: Endpoint, path: str) -> None:
    """Raise ``EndpointFileExists`` where a file of that name is there."""
    with suppress(EndpointFileMissing):
        await endpoint.stat(path)
        raise EndpointFileExists(
            f"{endpoint.address}: {shown(path)!r} is there already, and nothing is overwritten unasked."
        )


async def _hashed(source: Source, digest: hashlib._Hash) -> AsyncIterator[bytes]:
    async for block in blocks_of(source):
        digest.update(block)
        yield block


async def _compare(endpoint: Endpoint, part: str, sent: int, sha256: str, read_back_up_to: int) -> bool:
    place = f"{endpoint.address}: {shown(part)!r}"
    try:
        found = (await endpoint.stat(part)).size
    except EndpointFileMissing as error:
        raise RetriableEndpointError(
            f"{place} vanished right after the upload. If the partner's system takes files away under their temporary "
            "name, ask for another naming rule; it is tried again."
        ) from error
    if found != sent:
        raise RetriableEndpointError(f"{place}: {sent:,} bytes were sent, {found:,} arrived. It is sent again.")
    if sent > read_back_up_to:
        return False
    try:
        arrived = await _hash_of(endpoint, part)
    except FatalEndpointError:
        # A drop box: writing is allowed, reading is not.
        return False
    if arrived != sha256:
        raise RetriableEndpointError(f"{place}: the server returns other bytes than were sent. It is sent again.")
    return True


async def _hash_of(endpoint: Endpoint, path: str) -> str:
    digest = hashlib.sha256()
    async with aclosing(endpoint.read(path)) as blocks:  # type: ignore[type-var]
        async for block in blocks:
            digest.update(block)
    return digest.hexdigest()
