from __future__ import annotations

from data_connections.ledger import Ledger
from data_connections.steps.pinned_run import begin_run, find_run
from fixtures.catalog import INBOUND, Apply, changed

NAME = "acme-conversions"


def test_a_run_keeps_the_revision_that_it_began_with(apply: Apply, ledger: Ledger) -> None:
    apply(changed(INBOUND, details={"folder": "/first"}))
    begun = begin_run(ledger, NAME, 1, "manual__1")
    apply(changed(INBOUND, details={"folder": "/second"}))
    for run in (begin_run(ledger, NAME, 2, "manual__1"), find_run(ledger, NAME, 2, "manual__1")):
        assert (run.id, run.revision, run.spec.details.folder) == (begun.id, 1, "/first")
    later = find_run(ledger, NAME, 2, "manual__2")
    assert (later.revision, later.spec.details.folder) == (2, "/second")


def test_a_task_that_comes_first_begins_the_run(apply: Apply, ledger: Ledger) -> None:
    apply(INBOUND)
    run = find_run(ledger, NAME, 1, "manual__1")
    assert ledger.one("select id, state from connection_run") == {"id": run.id, "state": "in_progress"}
