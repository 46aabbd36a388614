"""Every code that the platforms' documents name: a row that gets it beside one that does not, or why none does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.data_types.applying_codes import APPLYING_CODES, OTHERS_CODES
from data_connections.settings import PROJECT
from fixtures.desk import Desk, table

NAMED = frozenset(
    {
        "NO_CHANGE",
        "ALREADY_LOCKED",
        "ACTION_NOT_FOUND",
        "ALREADY_REVERSED",
        "ALREADY_APPROVED",
        "OID_DUPLICATE",
        "ACTION_REF_NOT_FOUND",
        "ACTIONTERMS_NOT_FOUND",
        "ACTIONTRACKER_CAMPAIGN_MISMATCH",
        "ACTIONTRACKER_NOT_ACTIVE",
        "ACTIONTRACKER_NOT_FOUND",
        "BLACKLISTED_SOURCE_IP",
        "BLOCKED_BY_PROMOCODE",
        "CALL_DUPLICATE",
        "CALL_DURATION_TOO_SHORT",
        "CALL_FOR_CALL_PER_CONV_AT",
        "CALL_INCOMPLETE",
        "CALL_OUTSIDE_DAILY_RANGE",
        "CAMPAIGN_NOT_FOUND",
        "CONTRACT_NOT_FOUND",
        "CONV_DUPLICATE",
        "CREDITING_RULE_MISMATCH",
        "MALFORMED",
        "MAX_RECURRENCES_REACHED",
        "NO_ITEM",
        "NO_VALID_ACTION_REF",
        "OID_MISSING",
        "OTHER_REF_PRIORITIZED",
        "OUTSIDE_ASSOCIATION_WINDOW",
        "PARTNER_NOT_ACTIVE",
        "REFTYPE_NOT_ACCEPTED",
        "RESTRICTED_PROMOCODE",
        "UNCLAIMED",
        "CONV_MALFORMED",
        "NO_VALID_REFERRAL",
    }
)

REFERENCE = """
programs:
  - id: 1000
    key: acme
    name: Acme
    currency: EUR
    blocked_addresses: [192.0.2.7, 198.51.100.0/24, "2001:db8::/32"]
    blocked_promo_codes: [Staff50]
    event_types:
      - {id: 2001, code: SALE, name: Sale, locking: {after: event, days: 20}}
      - {id: 2002, name: Second sale, chained_to: 2001}
      - {id: 2003, name: Old, active: false}
      - {id: 2004, name: By click, accepts: [click], click_window_days: 30}
      - {id: 2005, name: New customers, customer_statuses: [new]}
      - {id: 2006, name: Once, most_per_customer: 1}
      - {id: 2007, name: Not in the contract}
  - id: 1001
    key: globex
    name: Globex
    currency: USD
    event_types: [{id: 2101, name: Sale}]
partners:
  - id: 1
    name: One
    media: [{id: 61, name: one.example}]
    promo_codes: [{program: acme, code: ONLY1, exclusive: true}]
  - {id: 2, name: Two}
  - {id: 3, name: Gone, active: false}
contracts:
  - id: 4
    program: acme
    name: All
    terms:
      - {event_type: 2001, starts: 2026-02-01, percent: 5}
      - {event_type: 2002, starts: 2026-02-01, percent: 5}
      - {event_type: 2004, starts: 2026-01-01, percent: 5}
      - {event_type: 2005, starts: 2026-02-01, percent: 5}
      - {event_type: 2006, starts: 2026-02-01, percent: 5}
"""
CLICKS = ("Id,EventDate,MediaId,CampaignId", ["old,2026-01-05T10:00:00Z,61,1000", "new,2026-02-15T10:00:00Z,61,1000"])
ORDER = {
    "CampaignId": 1000,
    "ActionTrackerId": 2001,
    "EventDate": "2026-02-20T10:00:00Z",
    "OrderId": "",
    "CurrencyCode": "EUR",
    "Amount": "10.00",
    "Category": "",
    "Sku": "",
    "Quantity": "",
    "MediaPartnerId": "1",
    "ClickId": "",
    "CustomerId": "",
    "CustomerStatus": "",
    "OrderPromoCode": "",
    "IpAddress": "",
}
CHANGE = {
    "ActionTrackerId": 2001,
    "OrderId": "",
    "Sku": "",
    "Amount": "",
    "CurrencyCode": "",
    "Reason": "OTHER",
    "DispositionCode": "",
}


@dataclass(frozen=True)
class Pair:
    """Rows of which the ones of ``bad`` get a code, and those of ``good``, in the same file, do not."""

    bad: list[dict[str, Any]]
    good: list[dict[str, Any]]
    changes: bool = False
    before: list[dict[str, Any]] = field(default_factory=list)


def pair(bad: dict[str, Any], good: dict[str, Any], **options: Any) -> Pair:
    return Pair([bad], [good], **options)


SHOE = {"Category": "Shoes", "Sku": "S", "Quantity": 1}
CLICK = {"ActionTrackerId": 2004, "MediaPartnerId": ""}
DONE = {"OrderId": "DONE"}
PAIRS = {
    "CAMPAIGN_NOT_FOUND": pair({"CampaignId": 9}, {}),
    "ACTIONTRACKER_NOT_FOUND": pair({"ActionTrackerId": 9}, {}),
    "ACTIONTRACKER_CAMPAIGN_MISMATCH": pair({"ActionTrackerId": 2101}, {}),
    "ACTIONTRACKER_NOT_ACTIVE": pair({"ActionTrackerId": 2003}, {}),
    "OID_MISSING": pair({"OrderId": " "}, {}),
    "OID_DUPLICATE": Pair([{"OrderId": "D1"}], [{"OrderId": "D1"}, {"OrderId": "D2"}]),
    "CONV_DUPLICATE": pair({"OrderId": "DONE"}, {}),
    "CONTRACT_NOT_FOUND": pair({"EventDate": "2026-01-31T10:00:00Z"}, {}),
    "ACTIONTERMS_NOT_FOUND": pair({"ActionTrackerId": 2007}, {}),
    "NO_VALID_REFERRAL": pair({"MediaPartnerId": "", "ClickId": "nobody"}, {}),
    "PARTNER_NOT_ACTIVE": pair({"MediaPartnerId": 3}, {}),
    "ACTION_REF_NOT_FOUND": pair(
        {"ActionTrackerId": 2002, "CustomerId": "stranger"}, {"ActionTrackerId": 2002, "CustomerId": "done"}
    ),
    "NO_VALID_ACTION_REF": pair({"ActionTrackerId": 2002}, {"ActionTrackerId": 2002, "CustomerId": "done"}),
    "REFTYPE_NOT_ACCEPTED": pair({"ActionTrackerId": 2004}, {**CLICK, "ClickId": "new"}),
    "OUTSIDE_ASSOCIATION_WINDOW": pair({**CLICK, "ClickId": "old"}, {**CLICK, "ClickId": "new"}),
    "OTHER_REF_PRIORITIZED": pair({"MediaPartnerId": 2, "ClickId": "new"}, {"MediaPartnerId": 1, "ClickId": "new"}),
    "RESTRICTED_PROMOCODE": pair(
        {"MediaPartnerId": 2, "OrderPromoCode": "only1"}, {"MediaPartnerId": 1, "OrderPromoCode": "Only1"}
    ),
    "BLOCKED_BY_PROMOCODE": pair({"OrderPromoCode": "STAFF50"}, {"OrderPromoCode": "STAFF5"}),
    "BLACKLISTED_SOURCE_IP": Pair(
        [{"IpAddress": "192.0.2.7"}, {"IpAddress": "198.51.100.200"}, {"IpAddress": "2001:DB8::1"}],
        [{"IpAddress": "192.0.2.8"}, {"IpAddress": "no address"}, {"IpAddress": "2001:db9::1"}, {}],
    ),
    "CREDITING_RULE_MISMATCH": Pair(
        [{"ActionTrackerId": 2005, "CustomerStatus": "EXISTING"}, {"ActionTrackerId": 2005}],
        [{"ActionTrackerId": 2005, "CustomerStatus": "New"}],
    ),
    "MAX_RECURRENCES_REACHED": Pair(
        [{"ActionTrackerId": 2006, "CustomerId": "done"}],
        [{"ActionTrackerId": 2006, "CustomerId": "fresh"}, {"ActionTrackerId": 2006}],
        before=[{"ActionTrackerId": 2006, "CustomerId": "done"}],
    ),
    "CURRENCY_MISSING": pair({"CurrencyCode": "xxx"}, {}),
    "ORDER_CURRENCIES": Pair(
        [{"OrderId": "OC", **SHOE}, {"OrderId": "OC", **SHOE, "Sku": "T", "CurrencyCode": "USD"}],
        [{"OrderId": "OD", **SHOE}, {"OrderId": "OD", **SHOE, "Sku": "T"}],
    ),
    "CURRENCY_MISMATCH": pair({"Amount": 1, "CurrencyCode": "USD"}, {"Amount": 1, "CurrencyCode": "eur"}, changes=True),
    "REASON_NOT_FOUND": pair({"Amount": 1, "Reason": "BECAUSE"}, {"Amount": 1, "Reason": "other"}, changes=True),
    "CONTRADICTION": pair({"Amount": 1, "DispositionCode": "REJECTED"}, {"DispositionCode": "REJECTED"}, changes=True),
    "ITEM_AMBIGUOUS": Pair(
        [{"OrderId": "IA", "Amount": 1, **SHOE}, {"OrderId": "IA", "Amount": 1, **SHOE, "Category": "Hats"}],
        [{"Amount": 1, **SHOE}],
        changes=True,
    ),
    "ACTION_NOT_FOUND": pair({"OrderId": "NOWHERE", "Amount": 1}, {"Amount": 1}, changes=True),
    "NO_CHANGE": pair({"Amount": "10.00"}, {"Amount": "9.99"}, changes=True),
    "NO_ITEM": Pair([{**DONE, "Sku": "S", "Amount": 1}], [{"Sku": "S", "Amount": 1, **SHOE}], changes=True),
    "ALREADY_LOCKED": Pair(
        [{"Amount": 1, "EventDate": "2026-02-08T23:59:59Z"}], [{"Amount": 1, "EventDate": "2026-02-09T00:00:00Z"}], True
    ),
    "ALREADY_REVERSED": Pair([{"Amount": 0, "twice": True}], [{"Amount": 0}], changes=True),
    "ALREADY_APPROVED": Pair([{"Reason": "APPROVED", "twice": True}], [{"Reason": "APPROVED"}], changes=True),
}


BY_HISTORY = {
    "HELD_BY_LIMIT",
    "KEY_REPEATED",
    "LINE_KNOWN",
    "LOCKS_BEFORE_NEXT_RUN",
    "NOTHING_TO_REMOVE",
    "PURCHASE_DUPLICATE",
    "ROWS_VANISH",
    "SUPERSEDED",
    "TOO_MANY_MODIFICATIONS",
    "WITHDRAWN",
    "ZERO_ON_ZERO",
}
"""Codes that hang on what came before, or on the connection: ``test_codes_by_history.py`` has both of each."""


def test_no_code_of_the_ledger_s_rules_is_without_both() -> None:
    given_by_validation = {"OID_MISSING", "OID_DUPLICATE"}
    assert set(PAIRS) | set(OTHERS_CODES) >= NAMED
    assert not set(PAIRS) & set(OTHERS_CODES)
    assert set(APPLYING_CODES) - set(PAIRS) == BY_HISTORY
    table_of_histories = (PROJECT / "tests" / "scenarios" / "test_codes_by_history.py").read_text(encoding="utf-8")
    assert all(f'    "{code}": ' in table_of_histories for code in BY_HISTORY)
    assert set(PAIRS) - set(APPLYING_CODES) == given_by_validation


def test_every_code_has_a_row_that_gets_it_and_one_beside_it_that_does_not(desk: Desk) -> None:
    _begin(desk)
    for number, (code, rows) in enumerate(PAIRS.items()):
        bad, good = _outcome(desk, f"{number}-", rows)
        assert all(code in codes for codes in bad), (code, bad, good)
        assert all(codes == [] for codes in good), (code, bad, good)


def test_the_message_for_an_unknown_event_type_begins_as_its_readers_know_it(desk: Desk) -> None:
    _begin(desk)
    done = desk.submit(_file(ORDER, [{"ActionTrackerId": 9, "OrderId": "X"}]))
    row = desk.ledger.one("select message from outcome where submission_id = %s", [done["id"]])
    assert row is not None
    assert row["message"].startswith("ActionTrackerId:ActionTrackerId value is invalid.")


def test_the_rules_of_reference_data_are_no_change_the_second_time(desk: Desk, tmp_path: Any) -> None:
    _begin(desk)
    steps = apply_reference(desk.ledger, load_reference(_reference(desk)), "tester")
    assert {step.action for step in steps} == {"keep"}


def test_a_customer_s_actions_are_counted_within_a_file_and_whole_orders_fall(desk: Desk) -> None:
    _begin(desk)
    one = {"ActionTrackerId": 2006, "CustomerId": "c"}
    rows = [{**one, "OrderId": "A", **SHOE}, {**one, "OrderId": "A", **SHOE, "Sku": "T"}, {**one, "OrderId": "B"}]
    rows += [{"OrderId": "C", **SHOE}, {"OrderId": "C", **SHOE, "IpAddress": "192.0.2.7"}]
    done = desk.submit(_file(ORDER, rows))

    assert desk.codes(done) == {
        4: ["MAX_RECURRENCES_REACHED"],
        5: ["BLACKLISTED_SOURCE_IP"],
        6: ["BLACKLISTED_SOURCE_IP"],
    }


def _begin(desk: Desk) -> None:
    apply_reference(desk.ledger, load_reference(_reference(desk)), "tester")
    unasked: dict[str, Any] = {"limits": {"hold_rows_for": "PT0S"}, "schedule": "on request"}
    desk.connect("changes", data_type="action_modifications", **unasked)
    desk.connect("orders", **unasked)
    desk.connect("clicks", data_type="clicks")
    assert desk.submit(table(CLICKS[0], *CLICKS[1]), "clicks.csv", "clicks")["accepted"] == 2
    assert desk.submit(_file(ORDER, [{"OrderId": "DONE", "CustomerId": "done"}]))["accepted"] == 1


def _reference(desk: Desk) -> Any:
    path = desk.folder / "reference.yaml"
    path.write_text(REFERENCE)
    return path


def _outcome(desk: Desk, prefix: str, rows: Pair) -> tuple[list[list[str]], list[list[str]]]:
    if rows.before:
        assert desk.submit(_file(ORDER, _named(rows.before, f"{prefix}before-")))["accepted"] == len(rows.before)
    good, bad = _named(rows.good, f"{prefix}good-"), _named(rows.bad, f"{prefix}bad-")
    if not rows.changes:
        done = desk.submit(_file(ORDER, [*good, *bad]))
        count = len(good)
    else:
        known = [row for row in (*good, *bad) if row["OrderId"] not in ("NOWHERE", "DONE")]
        taken = [
            {name: value for name, value in row.items() if name not in CHANGE or name in ("OrderId", "Sku")}
            for row in known
        ]
        assert desk.submit(_file(ORDER, taken))["accepted"] == len(taken)
        repeated = [row for row in bad if row.get("twice")]
        done = desk.submit(_file(CHANGE, [*good, *repeated, *bad]), "changes.csv", "changes")
        count = len(good) + len(repeated)
    codes = desk.codes(done)
    found = [codes.get(line, []) for line in range(2, 2 + count + len(bad))]
    return found[count:], found[:count]


def _named(rows: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    return [{**row, "OrderId": row.get("OrderId", f"{prefix}{number}").strip()} for number, row in enumerate(rows)]


def _file(columns: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    lines = [",".join(str(row.get(name, usual)) for name, usual in columns.items()) for row in rows]
    return table(",".join(columns), *lines)
