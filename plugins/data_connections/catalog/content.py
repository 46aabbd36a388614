"""A spec as it is stored: its plain content, the hash of it, and what differs between two of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data_connections.spec import ConnectionSpec


@dataclass(frozen=True)
class Change:
    """One field that differs.

    Attributes:
        field: Dotted name.
        before: Its value, None where it had none.
        after: Its value, None where it has none.
    """

    field: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """Return the change for the activity log and for ``--json``."""
        return {"field": self.field, "before": self.before, "after": self.after}

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.before)} -> {_shown(self.after)}"


def content_of(spec: ConnectionSpec) -> dict[str, Any]:
    """Return every field of ``spec``, defaults too, as JSON values: a revision means the same for ever."""
    content: dict[str, Any] = spec.model_dump(mode="json")
    return content


def hash_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a content; the order of its keys does not count."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the fields that differ, in the order in which specs are written."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    fields = [*new, *(field for field in old if field not in new)]
    return tuple(Change(field, old.get(field), new.get(field)) for field in fields if old.get(field) != new.get(field))


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "", [], {}) else json.dumps(value, ensure_ascii=False)
