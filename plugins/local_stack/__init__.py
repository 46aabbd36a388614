"""Everything on one machine: Airflow and its database, kept running by a supervisor."""

from __future__ import annotations

from local_stack.stack import Stack

__all__ = ["Stack"]
