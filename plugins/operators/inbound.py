"""The tasks of an inbound connection for one batch of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hooks.endpoint import EndpointHook
from hooks.landing import LandingHook
from hooks.mail_server import mail_server
from hooks.pgp import keyring
from operators.batch_task import BatchTask, Step

if TYPE_CHECKING:
    from data_connections.ledger import Ledger
    from data_connections.steps.pinned_run import PinnedRun


class Fetch(BatchTask):
    """Fetches each file whole and keeps the original in the landing area."""

    due = "state = 'claimed'"
    rests = ("window",)

    @contextmanager
    def opened(self, ledger: Ledger, run: PinnedRun) -> Iterator[Step]:
        """Open the partner's endpoint and the landing area."""
        from data_connections.steps import inbound

        landing = LandingHook().get_conn()
        with EndpointHook(run.spec).get_conn() as endpoint:
            yield lambda submission: inbound.fetch(ledger, submission, endpoint, landing)


class Validate(BatchTask):
    """Checks every row of each file and stages the outcomes under a seal."""

    due = "state = 'fetched'"

    @contextmanager
    def opened(self, ledger: Ledger, run: PinnedRun) -> Iterator[Step]:
        """Open the landing area, and say where the keys of encrypted files are."""
        from data_connections.steps import inbound

        landing = LandingHook().get_conn()
        yield lambda submission: inbound.validate(ledger, submission, landing, keys=keyring)


class ApplyModifications(BatchTask):
    """Books the accepted rows of each file, in one transaction a file."""

    due = "state = 'validated'"
    rests = ("halt",)

    @contextmanager
    def opened(self, ledger: Ledger, run: PinnedRun) -> Iterator[Step]:
        """Open the landing area, from which an attempt that lost its staged rows is staged again."""
        from data_connections.steps import inbound

        landing = LandingHook().get_conn()
        yield lambda submission: inbound.apply(ledger, submission, landing)


class Acknowledge(BatchTask):
    """Gives the sender receipt, summary and rejects of each file, and clears the file away as the spec says."""

    due = "acknowledged_at is null and finished_at is not null"
    rests = ("halt", "window")

    @contextmanager
    def opened(self, ledger: Ledger, run: PinnedRun) -> Iterator[Step]:
        """Open the partner's endpoint."""
        from data_connections.steps import inbound

        landing = LandingHook().get_conn()
        with EndpointHook(run.spec).get_conn() as endpoint:
            yield lambda submission: inbound.acknowledge(
                ledger, submission, endpoint, landing, tell=self.conduct.receipts, open_server=mail_server
            )
