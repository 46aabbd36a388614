"""Reference data in YAML: the programs with their event types, and the partners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_connections.errors import ConfigurationError, Mistakes
from data_connections.spec.connection import Slug, TimeZone
from data_connections.spec.mistakes import mistakes_of
from data_connections.spec.sources import Place, Source, mistake_at

Id = Annotated[int, Field(gt=0, lt=2**63)]


class EventType(BaseModel):
    """What a program pays for, such as an online sale; files name it ``ActionTrackerId``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(description="Its number, unique among all programs.")
    code: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="Its code, unique in its program; files name it `EventTypeCode`."
    )
    name: str = Field(min_length=1, description="Name for people.")
    duplicate_window_days: int = Field(
        default=30, ge=0, description="How long an order that comes again is a duplicate, in days of its event."
    )
    active: bool = Field(default=True, description="No new actions where it is false.")


class Program(BaseModel):
    """A brand's program; files name it ``CampaignId``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(description="Its number.")
    key: Slug = Field(description="Its name in specs and on the command line.")
    name: str = Field(min_length=1, description="Name for people.")
    time_zone: TimeZone = Field(default="UTC", description="IANA time zone of its days in reports.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code of rows without a currency.")
    active: bool = Field(default=True, description="No new actions where it is false.")
    event_types: tuple[EventType, ...] = Field(default=(), description="What it pays for.")


class Partner(BaseModel):
    """Somebody who earns for actions; files name them ``MediaPartnerId``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(description="Their number.")
    name: str = Field(min_length=1, description="Name for people.")
    active: bool = Field(default=True, description="No new actions where it is false.")


class ReferenceFile(BaseModel):
    """What one YAML file of reference data may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    programs: tuple[Program, ...] = ()
    partners: tuple[Partner, ...] = ()


@dataclass(frozen=True)
class Reference:
    """The reference data of a folder."""

    programs: tuple[Program, ...]
    partners: tuple[Partner, ...]


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
    )


def _read(path: Path) -> tuple[Source, ReferenceFile]:
    source = Source.read(path, holds="programs and partners")
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
        yield "program id", program.id, ("programs", number, "id")
        yield "program key", program.key, ("programs", number, "key")
        for inner, event_type in enumerate(program.event_types):
            place = ("programs", number, "event_types", inner)
            yield "event type id", event_type.id, (*place, "id")
            if event_type.code is not None:
                yield f"event type code of {program.key}", event_type.code, (*place, "code")
    for number, partner in enumerate(file.partners):
        yield "partner id", partner.id, ("partners", number, "id")
