"""Reference data as YAML writes it: programs, event types, partners, contracts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from data_connections.spec.connection import Slug
from data_connections.spec.time_zone import TimeZone

Id = Annotated[int, Field(gt=0, lt=2**63)]
Name = Annotated[str, Field(min_length=1)]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Rate = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]


def _network(text: str) -> str:
    """Return an address or network in its usual form.

    Raises:
        ValueError: It is neither, or has bits beyond its mask.
    """
    network = ip_network(text)
    return str(network.network_address if network.num_addresses == 1 else network)


Network = Annotated[str, AfterValidator(_network)]

OPEN_ENDED_DAYS = 730
"""How long an action stays open whose event type has no locking policy, in days after its event."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Locking(_Entry):
    """When actions lock, by the calendar of the program's time zone: at the midnight that ends the last open day."""

    after: Literal["event", "month_end", "approval"] = Field(
        description="What the days are counted from: the day of the event, or the last day of its month. With "
        "`approval` an action stays open until a file approves it, and for `days` after its event at most."
    )
    months: Annotated[int, Field(ge=0, le=24)] = Field(
        default=0, description="For `month_end`: so many months later than the event's."
    )
    days: Annotated[int, Field(ge=0, le=3650)] | None = Field(
        default=None, description=f"Days that follow; with `approval` {OPEN_ENDED_DAYS} where left out."
    )

    @model_validator(mode="after")
    def _days_fit(self) -> Locking:
        if self.days is None and self.after != "approval":
            raise ValueError("say how many `days` follow")
        if self.months and self.after != "month_end":
            raise ValueError("`months` are for `after: month_end`")
        return self


class ReasonCode(_Entry):
    """A reason or disposition code of one event type, beside those that every event type has."""

    code: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="As files write it, in any case.")
    effect: Literal["modify", "reverse", "approve"] = Field(description="What a row with it does to its action.")
    name: Name = Field(description="Name for people.")
    active: bool = Field(default=True, description="No row may use it where it is false.")


class EventType(_Entry):
    """What a program pays for, such as an online sale; files name it ``ActionTrackerId``."""

    id: Id = Field(description="Its number, unique among all programs.")
    code: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="Its code, unique in its program; files name it `EventTypeCode`."
    )
    name: Name = Field(description="Name for people.")
    duplicate_window_days: int = Field(
        default=30, ge=0, description="How long an order that comes again is a duplicate, in days of its event."
    )
    active: bool = Field(default=True, description="No new actions where it is false.")
    locking: Locking = Field(default=Locking(after="approval"), description="When its actions lock.")
    late_after_days: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="An order received more days than this after its event gets the received time as its EventDate; "
        "where left out, every order keeps its own.",
    )
    accepts: tuple[Literal["partner", "media", "click", "promo_code", "parent"], ...] = Field(
        default=(), description="Ways in which an order may lead to its partner; every way where left out."
    )
    click_window_days: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many days before its order a click may lie; any number where left out."
    )
    customer_statuses: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field(
        default=(), description="CustomerStatus of the orders that are paid for, such as NEW; any where left out."
    )
    most_per_customer: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="How many actions of one CustomerId are paid for; any number where left out."
    )
    chained_to: Id | None = Field(
        default=None, description="The event type of the action that must come first, of the same CustomerId."
    )
    reason_codes: tuple[ReasonCode, ...] = Field(default=(), description="Codes of its own.")


class Program(_Entry):
    """A brand's program; files name it ``CampaignId``."""

    id: Id = Field(description="Its number.")
    key: Slug = Field(description="Its name in specs and on the command line.")
    name: Name = Field(description="Name for people.")
    time_zone: TimeZone = Field(default="UTC", description="IANA time zone of its days: in reports, for locking.")
    currency: CurrencyCode = Field(description="ISO 4217 code of rows without a currency.")
    active: bool = Field(default=True, description="No new actions where it is false.")
    modification_terms: Literal["original", "current"] = Field(
        default="original",
        description="What a modified amount is paid by: the terms that the action was taken with, or those in force "
        "when the modification was received.",
    )
    blocked_addresses: tuple[Network, ...] = Field(
        default=(), description="IP addresses and networks from which no orders are taken."
    )
    blocked_promo_codes: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = Field(
        default=(), description="Promo codes, in any case, with which nobody earns for an order."
    )
    event_types: tuple[EventType, ...] = Field(default=(), description="What it pays for.")


class Media(_Entry):
    """A media property of a partner, such as a web site; files name it ``MediaId``."""

    id: Id = Field(description="Its number.")
    name: Name = Field(description="Name for people.")
    active: bool = Field(default=True, description="No new actions where it is false.")


class PromoCode(_Entry):
    """A promo code whose orders count for the partner that it was given to."""

    program: Slug = Field(description="Key of the program whose shop takes it.")
    code: Annotated[str, Field(min_length=1, max_length=255)] = Field(description="As customers type it, in any case.")
    exclusive: bool = Field(
        default=False, description="No other partner earns for an order with it, however the order leads to them."
    )
    active: bool = Field(default=True, description="It leads to nobody where it is false.")


class Partner(_Entry):
    """Somebody who earns for actions; files name them ``MediaPartnerId``."""

    id: Id = Field(description="Their number.")
    name: Name = Field(description="Name for people.")
    active: bool = Field(default=True, description="No new actions where it is false.")
    value1: Name | None = Field(
        default=None, description="A value of your own, such as an account manager; it stands in reports by partner."
    )
    value2: Name | None = Field(default=None, description="Another one.")
    value3: Name | None = Field(default=None, description="Another one.")
    media: tuple[Media, ...] = Field(default=(), description="Their media properties.")
    promo_codes: tuple[PromoCode, ...] = Field(default=(), description="Promo codes that they were given.")


class Term(_Entry):
    """What a contract pays for one event type, from a day on; the latest that has begun holds."""

    event_type: Id = Field(description="Number of the event type.")
    category: Name | None = Field(
        default=None, description="Only for items of this category, in any case; for everything else where left out."
    )
    starts: date = Field(description="First day of events that it holds for.")
    ends: date | None = Field(default=None, description="Last day, if any.")
    percent: Rate | None = Field(default=None, description="Per cent of the amount.")
    fixed: Rate | None = Field(
        default=None, description="A fixed sum for each action, or for each item line where an order has items."
    )
    currency: CurrencyCode | None = Field(
        default=None, description="Only for amounts in this currency; `fixed` needs it, as nothing is converted."
    )

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> Term:
        if (self.percent is None) == (self.fixed is None):
            raise ValueError("give either `percent` or `fixed`")
        if self.fixed is not None and self.currency is None:
            raise ValueError("`fixed` needs its `currency`")
        if self.ends is not None and self.ends < self.starts:
            raise ValueError("it ends before it starts")
        return self


class Tier(_Entry):
    """What the part of a month beyond a threshold is paid in all."""

    threshold: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)] = Field(
        description="It holds for what goes beyond this, up to the threshold of the next tier."
    )
    percent: Rate | None = Field(default=None, description="Per cent of the revenue, the contract's own rate included.")
    fixed: Rate | None = Field(
        default=None,
        description="A sum for each action, the contract's own payout included; where actions are counted.",
    )

    @model_validator(mode="after")
    def _one_way_to_pay(self) -> Tier:
        if (self.percent is None) == (self.fixed is None):
            raise ValueError("give either `percent` or `fixed`")
        return self


class Bonus(_Entry):
    """A performance bonus: marginal tiers over what of a partner locks in a month, beside the contract's own terms."""

    id: Id = Field(description="Its number.")
    name: Name = Field(description="Name for people, the payout group.")
    event_types: tuple[Id, ...] = Field(min_length=1, description="Numbers of the event types that count together.")
    category: Name | None = Field(default=None, description="Only items of this category count, in any case.")
    currency: CurrencyCode = Field(description="Only amounts in this currency count; nothing is converted.")
    measure: Literal["revenue", "actions"] = Field(
        default="revenue", description="What the thresholds are about: the amounts, or the number of the actions."
    )
    starts: date = Field(description="First day of locking that it holds for.")
    ends: date | None = Field(default=None, description="Last day, if any.")
    tiers: tuple[Tier, ...] = Field(min_length=1, description="Lowest threshold first.")

    @model_validator(mode="after")
    def _tiers_fit(self) -> Bonus:
        thresholds = [tier.threshold for tier in self.tiers]
        if thresholds != sorted(set(thresholds)):
            raise ValueError("each tier's `threshold` has to be above the one before it")
        if self.measure == "revenue" and any(tier.fixed is not None for tier in self.tiers):
            raise ValueError("`fixed` is for `measure: actions`; a part of the revenue is paid by `percent`")
        if self.ends is not None and self.ends < self.starts:
            raise ValueError("it ends before it starts")
        return self


class Contract(_Entry):
    """What a program pays a partner. A program without any contract has no payouts."""

    id: Id = Field(description="Its number.")
    program: Slug = Field(description="Key of the program.")
    partner: Id | None = Field(
        default=None, description="Number of the partner; left out: of all that have no contract of their own."
    )
    name: Name = Field(description="Name for people.")
    active: bool = Field(default=True, description="It pays for no new action where it is false.")
    terms: tuple[Term, ...] = Field(min_length=1, description="What it pays.")
    bonuses: tuple[Bonus, ...] = Field(default=(), description="What it pays beside them for much in a month.")


class ReferenceFile(_Entry):
    """What one YAML file of reference data may hold."""

    programs: tuple[Program, ...] = ()
    partners: tuple[Partner, ...] = ()
    contracts: tuple[Contract, ...] = ()
