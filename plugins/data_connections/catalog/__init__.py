"""The catalog: connections as numbered, immutable revisions, and everything that changes them."""

from data_connections.catalog.apply import apply_specs, plan_specs
from data_connections.catalog.content import Change, changes_between, content_of, hash_of
from data_connections.catalog.planning import Intent, Known, Plan, Step
from data_connections.catalog.reference import Reference, load_reference
from data_connections.catalog.reference_ledger import (
    ReferenceStep,
    apply_reference,
    list_reference,
    program_keys,
)
from data_connections.catalog.revisions import (
    StoredSpec,
    all_current,
    current,
    names,
    record_builds,
    revision,
    revisions,
)
from data_connections.catalog.snapshot import load_for_generation

__all__ = [
    "Change",
    "Intent",
    "Known",
    "Plan",
    "Reference",
    "ReferenceStep",
    "Step",
    "StoredSpec",
    "all_current",
    "apply_reference",
    "apply_specs",
    "changes_between",
    "content_of",
    "current",
    "hash_of",
    "list_reference",
    "load_for_generation",
    "load_reference",
    "names",
    "plan_specs",
    "program_keys",
    "record_builds",
    "revision",
    "revisions",
]
