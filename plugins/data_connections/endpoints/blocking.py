"""An endpoint for code that waits: every call runs on one event loop in the calling thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from data_connections.endpoints.contract import Endpoint, RemoteFile, Source
from data_connections.endpoints.fetch import FetchedFile, fetch_file
from data_connections.endpoints.publish import PublishedFile, publish

P = ParamSpec("P")
T = TypeVar("T")


class BlockingEndpoint:
    """The methods of ``Endpoint`` and the functions of this package, without ``await``; meaning and errors as there."""

    def __init__(self, endpoint: Endpoint, runner: asyncio.Runner) -> None:
        self.endpoint = endpoint
        self._runner = runner

    def run(
        self,
        function: Callable[Concatenate[Endpoint, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what the coroutine function answers for this endpoint, such as ``run(claim_by_rename, file)``."""
        return self._runner.run(function(self.endpoint, *args, **kwargs))

    @property
    def address(self) -> str:
        """Where this is, for messages."""
        return self.endpoint.address

    def list(self, folder: str) -> list[RemoteFile]:
        """Return the files of one folder."""
        return self._runner.run(self.endpoint.list(folder))

    def stat(self, path: str) -> RemoteFile:
        """Return the present state of one file."""
        return self._runner.run(self.endpoint.stat(path))

    def fetch(self, file: RemoteFile, sink: Callable[[bytes], object]) -> FetchedFile:
        """Read a file whole into ``sink``."""
        return self.run(fetch_file, file, sink)

    def write(self, path: str, source: Source, *, replace: bool = False, token: str | None = None) -> PublishedFile:
        """Publish a file: temporary name, comparison, rename."""
        return self.run(publish, path, source, replace=replace, token=token)

    def move(self, old: str, new: str, *, replace: bool = False) -> None:
        """Rename a file."""
        self._runner.run(self.endpoint.move(old, new, replace=replace))

    def delete(self, path: str) -> None:
        """Delete a file."""
        self._runner.run(self.endpoint.delete(path))

    def make_folder(self, path: str) -> None:
        """Create a folder and those above it."""
        self._runner.run(self.endpoint.make_folder(path))


@contextmanager
def open_endpoint(factory: Callable[[], Endpoint]) -> Iterator[BlockingEndpoint]:
    """Connect to what ``factory`` makes, hand it out, and leave again.

    Example:
        ```python
        with open_endpoint(lambda: SftpEndpoint(host, 22, credentials)) as endpoint:
            for file in endpoint.list("/outgoing"):
                endpoint.fetch(file, keep)
        ```
    """
    with asyncio.Runner() as runner:
        endpoint = factory()
        try:
            runner.run(endpoint.connect())
            yield BlockingEndpoint(endpoint, runner)
        finally:
            runner.run(endpoint.close())


def run(
    factory: Callable[[], Endpoint],
    function: Callable[Concatenate[Endpoint, P], Coroutine[Any, Any, T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Connect, run one coroutine function with the endpoint, and leave; for one-off questions."""
    with open_endpoint(factory) as endpoint:
        return endpoint.run(function, *args, **kwargs)
