"""The ledger: the PostgreSQL database that keeps the business data and the record of every file."""

from data_connections.ledger.database import Ledger, bring_up_to_date, migrate

__all__ = ["Ledger", "bring_up_to_date", "migrate"]
