"""Reference data as rows of the ledger: which table each entry of YAML goes to, and by what it is known there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from data_connections.catalog.reference import Reference
from data_connections.catalog.reference_entries import OPEN_ENDED_DAYS, Bonus, Contract, EventType, Partner, Program
from data_connections.errors import ConfigurationError


@dataclass(frozen=True)
class Table:
    """A table of reference data.

    Attributes:
        name: Of the table.
        key: SQL conditions on the row's values (``%(column)s``) that find the entry that is there.
        called: How an entry is told to people, with the row's values filled in.
        refers: Columns that name an entry of another table by its id, with that table.
        unique: What no second entry may have: the condition, and how it is told.
    """

    name: str
    key: str
    called: str
    refers: Mapping[str, str]
    unique: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """The kind of entry, for people."""
        return self.name.replace("_", " ")


TABLES = {
    table.name: table
    for table in (
        Table("program", "id = %(id)s", "{id} ({name})", {}, ("key = %(key)s", "key {key!r}")),
        Table(
            "event_type",
            "id = %(id)s",
            "{id} ({name})",
            {"program_id": "program", "parent_id": "event_type"},
            ("program_id = %(program_id)s and code = %(code)s", "code {code!r}"),
        ),
        Table(
            "reason_code",
            "event_type_id = %(event_type_id)s and upper(code) = upper(%(code)s)",
            "{code} of the event type {event_type_id}",
            {"event_type_id": "event_type"},
        ),
        Table("partner", "id = %(id)s", "{id} ({name})", {}),
        Table("media", "id = %(id)s", "{id} ({name})", {"partner_id": "partner"}),
        Table(
            "promo_code",
            "program_id = %(program_id)s and lower(code) = lower(%(code)s)",
            "{code} of the program {program_id}",
            {"program_id": "program", "partner_id": "partner"},
        ),
        Table(
            "contract",
            "id = %(id)s",
            "{id} ({name})",
            {"program_id": "program", "partner_id": "partner"},
            (
                "program_id = %(program_id)s and partner_id is not distinct from %(partner_id)s "
                "and active and %(active)s",
                "program and the partner of contract {id}",
            ),
        ),
        Table(
            "contract_term",
            "contract_id = %(contract_id)s and event_type_id = %(event_type_id)s and replaced_at is null "
            "and lower(category) is not distinct from lower(%(category)s) "
            "and currency is not distinct from %(currency)s and starts = %(starts)s",
            "of contract {contract_id} for event type {event_type_id} from {starts}",
            {"contract_id": "contract", "event_type_id": "event_type"},
        ),
        Table("bonus", "id = %(id)s", "{id} ({name})", {"contract_id": "contract"}),
        Table(
            "bonus_tier",
            "bonus_id = %(bonus_id)s and threshold = %(threshold)s and replaced_at is null",
            "of bonus {bonus_id} from {threshold}",
            {"bonus_id": "bonus"},
        ),
    )
}

Row = dict[str, Any]


def rows_of(reference: Reference, programs: Mapping[str, int]) -> Iterator[tuple[Table, Row]]:
    """Yield table and row of every entry, what is referred to before what refers to it.

    Args:
        reference: What YAML says.
        programs: Ids of the programs that the ledger has, by key.

    Raises:
        ConfigurationError: A promo code or contract names a program that exists nowhere.
    """
    known = {**programs, **{program.key: program.id for program in reference.programs}}
    found = [*_programs(reference.programs), *_partners(reference.partners, known)]
    found += [row for contract in reference.contracts for row in _contract(contract, known)]
    yield from ((TABLES[name], row) for name, row in found)


def _programs(programs: tuple[Program, ...]) -> Iterator[tuple[str, Row]]:
    for program in programs:
        lists = {
            "blocked_addresses": list(program.blocked_addresses),
            "blocked_promo_codes": [code.lower() for code in program.blocked_promo_codes],
        }
        yield "program", {**program.model_dump(exclude={"event_types"}), **lists}
    event_types = [(program.id, each) for program in programs for each in program.event_types]
    first = sorted(event_types, key=lambda pair: pair[1].chained_to is not None)
    for program_id, event_type in first:
        yield "event_type", {**_event_type(event_type), "program_id": program_id}
    for _, event_type in event_types:
        for reason in event_type.reason_codes:
            yield "reason_code", {**reason.model_dump(), "event_type_id": event_type.id}


def _event_type(event_type: EventType) -> Row:
    locking = event_type.locking
    return {
        **event_type.model_dump(exclude={"locking", "chained_to", "reason_codes"}),
        "locking_after": locking.after,
        "locking_months": locking.months,
        "locking_days": OPEN_ENDED_DAYS if locking.days is None else locking.days,
        "parent_id": event_type.chained_to,
        "accepts": list(event_type.accepts),
        "customer_statuses": [status.upper() for status in event_type.customer_statuses],
    }


def _partners(partners: tuple[Partner, ...], programs: Mapping[str, int]) -> Iterator[tuple[str, Row]]:
    for partner in partners:
        yield "partner", partner.model_dump(exclude={"media", "promo_codes"})
        for media in partner.media:
            yield "media", {**media.model_dump(), "partner_id": partner.id}
        for promo_code in partner.promo_codes:
            program = _program(promo_code.program, programs, f"The promo code {promo_code.code!r}")
            row = promo_code.model_dump(exclude={"program"})
            yield "promo_code", {**row, "program_id": program, "partner_id": partner.id}


def _contract(contract: Contract, programs: Mapping[str, int]) -> Iterator[tuple[str, Row]]:
    program = _program(contract.program, programs, f"The contract {contract.id}")
    row = contract.model_dump(exclude={"program", "partner", "terms", "bonuses"})
    yield "contract", {**row, "program_id": program, "partner_id": contract.partner}
    for term in contract.terms:
        rates = {name: _number(value) for name, value in (("percent", term.percent), ("fixed", term.fixed))}
        dates = {"starts": term.starts.isoformat(), "ends": term.ends.isoformat() if term.ends else None}
        key = {"contract_id": contract.id, "event_type_id": term.event_type, "category": term.category}
        yield "contract_term", {**key, "currency": term.currency, **dates, **rates}
    for bonus in contract.bonuses:
        yield from _bonus(bonus, contract.id)


def _bonus(bonus: Bonus, contract_id: int) -> Iterator[tuple[str, Row]]:
    dates = {"starts": bonus.starts.isoformat(), "ends": bonus.ends.isoformat() if bonus.ends else None}
    event_types = {"event_type_ids": sorted(set(bonus.event_types))}
    row = bonus.model_dump(exclude={"event_types", "tiers", "starts", "ends"})
    yield "bonus", {**row, **event_types, **dates, "contract_id": contract_id}
    for tier in bonus.tiers:
        numbers = {name: _number(value) for name, value in tier.model_dump().items()}
        yield "bonus_tier", {"bonus_id": bonus.id, **numbers}


def _program(key: str, programs: Mapping[str, int], what: str) -> int:
    if key not in programs:
        raise ConfigurationError(f"{what} names the program {key!r}, and there is none of that key.")
    return programs[key]


def _number(value: Decimal | None) -> str | None:
    """Return a number as text with no zeros at its end, so that 5 and 5.00 are no change."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
