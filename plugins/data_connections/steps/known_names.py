"""The names that a spec may refer to in an installation, and what is said about a spec beside them."""

from __future__ import annotations

from functools import partial

from data_connections.catalog import Known, program_keys
from data_connections.data_types import load_data_types
from data_connections.ledger import Ledger
from data_connections.reports import load_reports, unfit_output
from data_connections.settings import Settings
from data_connections.steps.contradictions import contradictions, doubts


def known_names(ledger: Ledger, settings: Settings) -> Known:
    """Return the data types, reports and programs that there are.

    Args:
        ledger: Holds the programs.
        settings: Where schemas and reports are.
    """
    reports = load_reports(settings.include)
    return Known(
        programs=program_keys(ledger),
        data_types=frozenset(load_data_types(settings.schemas)),
        reports=frozenset(reports),
        unfit=partial(unfit_output, reports),
        contradictions=contradictions,
        doubts=partial(doubts, ledger=ledger),
    )
