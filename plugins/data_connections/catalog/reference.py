"""Reference data in YAML: every file of a folder, read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from data_connections.catalog.reference_entries import Contract, Partner, Program, ReferenceFile
from data_connections.errors import ConfigurationError, Mistakes
from data_connections.spec.mistakes import mistakes_of
from data_connections.spec.sources import Place, Source, mistake_at


@dataclass(frozen=True)
class Reference:
    """The reference data of a folder."""

    programs: tuple[Program, ...]
    partners: tuple[Partner, ...]
    contracts: tuple[Contract, ...] = ()


def load_reference(folder: Path) -> Reference:
    """Read every ``*.yaml`` of a folder, or a single file.

    Raises:
        Mistakes: Every mistake in them.
        ConfigurationError: There is no such folder.
    """
    if not folder.exists():
        raise ConfigurationError("There is no such file or folder of reference data.", path=folder)
    paths = [folder] if folder.is_file() else sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    read: list[tuple[Source, ReferenceFile]] = []
    mistakes: list[ConfigurationError] = []
    for path in paths:
        try:
            read.append(_read(path))
        except Mistakes as several:
            mistakes.extend(several.mistakes)
        except ConfigurationError as mistake:
            mistakes.append(mistake)
    mistakes.extend(_repeated(read))
    if mistakes:
        raise Mistakes(mistakes)
    files = [content for _, content in read]
    return Reference(
        tuple(program for file in files for program in file.programs),
        tuple(partner for file in files for partner in file.partners),
        tuple(contract for file in files for contract in file.contracts),
    )


def _read(path: Path) -> tuple[Source, ReferenceFile]:
    source = Source.read(path, holds="programs, partners and contracts")
    try:
        return source, ReferenceFile.model_validate(source.plain())
    except ValidationError as invalid:
        raise Mistakes(mistakes_of(invalid, (source,), ReferenceFile)) from invalid


def _repeated(read: Iterable[tuple[Source, ReferenceFile]]) -> Iterator[ConfigurationError]:
    first: dict[tuple[str, object], str] = {}
    for source, file in read:
        for what, value, place in _unique_values(file):
            line = source.line(place)
            here = f"{source.path}:{line}"
            if (what, value) in first:
                message = f"The {what} {value!r} is already used at {first[what, value]}; each needs its own."
                yield mistake_at((source,), place, message)
            first.setdefault((what, value), here)


def _unique_values(file: ReferenceFile) -> Iterator[tuple[str, object, Place]]:
    for number, program in enumerate(file.programs):
        yield from _values_of_program(program, ("programs", number))
    for number, partner in enumerate(file.partners):
        yield from _values_of_partner(partner, ("partners", number))
    for number, contract in enumerate(file.contracts):
        yield from _values_of_contract(contract, ("contracts", number))


def _values_of_program(program: Program, place: Place) -> Iterator[tuple[str, object, Place]]:
    yield "program id", program.id, (*place, "id")
    yield "program key", program.key, (*place, "key")
    for number, event_type in enumerate(program.event_types):
        inner = (*place, "event_types", number)
        yield "event type id", event_type.id, (*inner, "id")
        if event_type.code is not None:
            yield f"event type code of {program.key}", event_type.code, (*inner, "code")
        for last, reason in enumerate(event_type.reason_codes):
            where = (*inner, "reason_codes", last, "code")
            yield f"reason code of the event type {event_type.id}", reason.code.upper(), where


def _values_of_partner(partner: Partner, place: Place) -> Iterator[tuple[str, object, Place]]:
    yield "partner id", partner.id, (*place, "id")
    for number, media in enumerate(partner.media):
        yield "media id", media.id, (*place, "media", number, "id")
    for number, promo_code in enumerate(partner.promo_codes):
        yield f"promo code of {promo_code.program}", promo_code.code.lower(), (*place, "promo_codes", number, "code")


def _values_of_contract(contract: Contract, place: Place) -> Iterator[tuple[str, object, Place]]:
    yield "contract id", contract.id, (*place, "id")
    for number, term in enumerate(contract.terms):
        key = (term.event_type, (term.category or "").lower(), term.currency or "", term.starts.isoformat())
        shown = " ".join(str(part) for part in key if part)
        yield f"term of the contract {contract.id} for", shown, (*place, "terms", number, "starts")
    for number, bonus in enumerate(contract.bonuses):
        yield "bonus id", bonus.id, (*place, "bonuses", number, "id")
