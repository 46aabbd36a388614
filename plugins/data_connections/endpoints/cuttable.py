"""A connection that one thread uses and any other may cut, with no descriptor closed while somebody reads from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar


class Cuttable(ABC):
    """What a login of a client that blocks is built on; each method that uses the connection is a ``call``.

    Attributes:
        is_closed: Whether it is of no use any more.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self._calls = RLock()

    @abstractmethod
    def _shut(self) -> None:
        """End whatever waits on the connection; it stays open."""

    @abstractmethod
    def _close(self) -> None:
        """Close what is open, without a word; called again it does nothing."""

    def abort(self) -> None:
        """Cut the connection: a call that waits in another thread ends at once, and closes it."""
        self.is_closed = True
        self._shut()
        self._close_at_rest()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Hold the connection open; where it was cut meanwhile, it is closed at the end.

        Raises:
            ConnectionAbortedError: It was cut before.
        """
        try:
            with self._calls:
                self._refuse_closed()
                yield
        except (ValueError, AttributeError):
            # What the ssl module says of a socket that another thread has cut.
            self._refuse_closed()
            raise
        finally:
            if self.is_closed:
                self._close_at_rest()

    def _refuse_closed(self) -> None:
        if self.is_closed:
            raise ConnectionAbortedError("it was cut from here")

    def _close_at_rest(self) -> None:
        # A descriptor that is closed while another thread reads from it may be somebody else's by then.
        if self._calls.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._calls.release()


P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Cuttable)


def calling(method: Callable[Concatenate[C, P], T]) -> Callable[Concatenate[C, P], T]:
    """Make a method one ``call`` from its beginning to its end."""

    def as_call(self: C, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.call():
            return method(self, *args, **kwargs)

    update_wrapper(as_call, method)
    return as_call
