"""What applying some specs would do: a plan of changes, and everything that stands in its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_connections.catalog.content import Change, changes_between, content_of, hash_of
from data_connections.catalog.revisions import StoredSpec
from data_connections.errors import ConfigurationError, Mistakes, nearest
from data_connections.spec import ConnectionSpec, InboundConnection, LoadedSpec, OutboundConnection

RESERVED = "connections_"
"""How the names of DAGs begin that are not connections."""

Action = Literal["create", "change", "restore", "take over", "keep", "delete"]


@dataclass(frozen=True)
class Known:
    """The names that a spec may refer to.

    Attributes:
        programs: Keys of programs.
        data_types: Names of inbound data types.
        reports: Names of reports.
        unfit: Says why a known report cannot be sent as a spec wants it; None where it can.
        contradictions: Says what of a spec can never come true.
        doubts: Says what of a spec works and may still surprise, as sentences.
    """

    programs: frozenset[str]
    data_types: frozenset[str]
    reports: frozenset[str]
    unfit: Callable[[OutboundConnection], ConfigurationError | None] = lambda spec: None
    contradictions: Callable[[ConnectionSpec], Iterable[ConfigurationError]] = lambda spec: ()
    doubts: Callable[[ConnectionSpec], Iterable[str]] = lambda spec: ()


@dataclass(frozen=True)
class Intent:
    """How specs are applied.

    Attributes:
        source: What they come from, and what will manage them: ``files:<folder>``, ``screen``, ``api``.
        prune: Delete the connections of the same source that are not among the specs.
        take_over: Overwrite, and manage from now on, connections that another source manages.
    """

    source: str
    prune: bool = False
    take_over: bool = False


@dataclass(frozen=True)
class Step:
    """What happens to one connection.

    Attributes:
        action: ``keep`` changes nothing.
        name: Its name afterwards.
        old: Its current revision, None for a new one.
        content: Its content afterwards, None when it is deleted.
        changes: The fields that differ.
    """

    action: Action
    name: str
    old: StoredSpec | None
    content: Mapping[str, Any] | None
    changes: tuple[Change, ...] = ()

    @property
    def renamed_from(self) -> str | None:
        """Its name before, where that changes."""
        return self.old.name if self.old and self.old.name != self.name else None

    def as_json(self) -> dict[str, Any]:
        """Return the step for ``--json``."""
        return {
            "name": self.name,
            "action": self.action,
            "renamed_from": self.renamed_from,
            "revision": self.old.number if self.old else None,
            "hash": hash_of(self.content) if self.content is not None else None,
            "changes": [change.as_json() for change in self.changes],
        }


@dataclass(frozen=True)
class Plan:
    """The steps of applying some specs, in the order of their names.

    Attributes:
        steps: What happens to each connection.
        warnings: What should be looked at, of the connections that change.
    """

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()

    @property
    def changing(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.action != "keep")

    def as_json(self) -> list[dict[str, Any]]:
        """Return the steps for ``--json``."""
        return [step.as_json() for step in self.steps]


def make_plan(specs: Sequence[LoadedSpec], stored: Sequence[StoredSpec], known: Known, intent: Intent) -> Plan:
    """Compare specs with what is stored, deleted connections too.

    Raises:
        Mistakes: Everything that keeps the specs from being applied; then nothing may be.
    """
    by_name = {each.name: each for each in stored}
    mistakes = [mistake for loaded in specs for mistake in _mistakes(loaded, specs, by_name, known, intent)]
    if mistakes:
        raise Mistakes(mistakes)
    steps = [_step(loaded, _old(loaded, by_name), intent) for loaded in specs]
    if intent.prune:
        steps += _deletions(steps, stored, intent)
    changed = {step.name for step in steps if step.action != "keep"}
    return Plan(
        tuple(sorted(steps, key=lambda step: step.name)),
        tuple(
            f"{loaded.spec.name}: {doubt}"
            for loaded in specs
            if loaded.spec.name in changed
            for doubt in known.doubts(loaded.spec)
        ),
    )


def _old(loaded: LoadedSpec, by_name: Mapping[str, StoredSpec]) -> StoredSpec | None:
    """Return what is stored under the spec's name, else under the name that it had before."""
    spec = loaded.spec
    return by_name.get(spec.name) or by_name.get(spec.renamed_from or "")


def _step(loaded: LoadedSpec, old: StoredSpec | None, intent: Intent) -> Step:
    name, content = loaded.spec.name, content_of(loaded.spec)
    if old is None:
        return Step("create", name, None, content)
    changes = changes_between(comparable(old), content)
    if old.deleted_at:
        return Step("restore", name, old, content, changes)
    if not changes:
        return Step("keep", name, old, content)
    return Step("change" if old.managed_by == intent.source else "take over", name, old, content, changes)


def comparable(old: StoredSpec) -> Mapping[str, Any]:
    """Return a stored content with the fields that were added to specs since, at their defaults."""
    try:
        return {**content_of(old.spec), "name": old.name}
    except ConfigurationError:
        return old.content


def _deletions(steps: Sequence[Step], stored: Sequence[StoredSpec], intent: Intent) -> list[Step]:
    used = {step.old.connection_id for step in steps if step.old}
    gone = (each for each in stored if not each.deleted_at and each.connection_id not in used)
    return [Step("delete", each.name, each, None) for each in gone if each.managed_by == intent.source]


def _mistakes(
    loaded: LoadedSpec, specs: Sequence[LoadedSpec], by_name: Mapping[str, StoredSpec], known: Known, intent: Intent
) -> Iterator[ConfigurationError]:
    if loaded.spec.name.startswith(RESERVED):
        yield loaded.mistake("name", f"Names that begin with {RESERVED!r} are for DAGs of Connections itself.")
    yield from _unknown_names(loaded, known)
    for each in known.contradictions(loaded.spec):
        yield loaded.mistake(each.field or "name", each.message, each.suggestion)
    yield from _foreign(loaded, _old(loaded, by_name), intent)
    yield from _rename_trouble(loaded, [other.spec for other in specs if other is not loaded], by_name)


def _rename_trouble(
    loaded: LoadedSpec, others: Sequence[ConnectionSpec], by_name: Mapping[str, StoredSpec]
) -> Iterator[ConfigurationError]:
    name, before = loaded.spec.name, loaded.spec.renamed_from
    if before is None or before not in by_name:
        return
    if before in {other.name for other in others}:
        yield loaded.mistake("renamed_from", f"{before!r} is still the name of another connection of these.")
    if before in {other.renamed_from for other in others}:
        yield loaded.mistake("renamed_from", f"Only one connection can be the one that was {before!r} before.")
    if name in by_name and by_name[name].deleted_at and not by_name[before].deleted_at:
        message = f"{name!r} is the name of a deleted connection, which keeps its history; choose another name."
        yield loaded.mistake("name", message)


def _unknown_names(loaded: LoadedSpec, known: Known) -> Iterator[ConfigurationError]:
    spec = loaded.spec
    kind, names = ("data type", known.data_types) if isinstance(spec, InboundConnection) else ("report", known.reports)
    if spec.data_type not in names:
        yield _unknown(loaded.mistake, "data_type", kind, spec.data_type, names)
    elif isinstance(spec, OutboundConnection) and (unfit := known.unfit(spec)):
        yield loaded.mistake(unfit.field or "data_type", unfit.message, unfit.suggestion)
    if spec.program not in known.programs:
        more = " Programs come from `connections reference apply`."
        yield _unknown(loaded.mistake, "program", "program", spec.program, known.programs, more)


def _unknown(
    mistake: Callable[[str, str, str | None], ConfigurationError],
    place: str,
    kind: str,
    name: str,
    names: frozenset[str],
    more: str = "",
) -> ConfigurationError:
    listed = f" Known: {', '.join(sorted(names)[:10])}." if names else " None is defined yet."
    return mistake(place, f"There is no {kind} {name!r}.{listed}{more}", nearest(name, names))


def _foreign(loaded: LoadedSpec, old: StoredSpec | None, intent: Intent) -> Iterator[ConfigurationError]:
    if old is None or old.deleted_at or intent.take_over or old.managed_by == intent.source:
        return
    if changes_between(comparable(old), content_of(loaded.spec)):
        yield loaded.mistake(
            "name",
            f"The connection {old.name!r} was made by {old.managed_by} and last changed by {old.created_by}; this is "
            f"{intent.source}. Export it to see what is there, or overwrite it with --take-over.",
        )
