"""Every code that reading and checking a file can give: a file that gets it, and one like it that does not.

A code of the catalogue, or of a data type's folder, that has neither a case here nor a test that is named here fails.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from data_connections.currencies import in_use
from data_connections.data_types import load_data_types
from data_connections.data_types.applying_codes import APPLYING_CODES
from data_connections.data_types.codes import FILE_CODES, ROW_CODES
from data_connections.data_types.documentation import told_codes
from data_connections.data_types.reading_codes import BROKEN_ROW_CODES, READING_CODES
from data_connections.settings import PROJECT
from data_connections.spec import FileFormat
from data_connections.spec.mapping import ColumnMapping
from data_connections.validation import ValidationOptions
from data_connections.validation.check import check_file

DATA_TYPES = load_data_types([PROJECT / "include" / "schemas"])
RECEIVED = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    code: str
    bad: str | bytes
    good: str | bytes
    data_type: str = "conversions"
    options: str = ""
    """Declared, as ``--format`` takes it, separated by blanks; what is in ``only_bad`` holds for the bad file alone."""
    only_bad: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    most: int = 10**9


ORDER = {
    "CampaignId": "1000",
    "ActionTrackerId": "2001",
    "EventDate": "2026-06-10T10:00:00Z",
    "OrderId": "A",
    "Amount": "1.00",
    "ClickId": "c",
}
ITEM = {"Sku": "S", "Category": "C", "Quantity": "1"}
CHANGE = {"ActionTrackerId": "2001", "OrderId": "A", "Amount": "1", "Reason": "OTHER"}
ROWS = {
    "conversions": ORDER,
    "action_modifications": CHANGE,
    "clicks": {"Id": "1", "EventDate": "2026-06-10T10:00:00Z", "MediaId": "1"},
    "product_catalog": {"CatalogItemId": "1", "Name": "N", "Url": "https://a.example/1"},
    "aggregate_performance": {
        "CampaignId": "1000",
        "EventDateTimeStart": "20260610 10:00:00 UTC",
        "EventDateTimeEnd": "20260610 11:00:00 UTC",
    },
    "web_events": {"EventDate": "2026-06-10T10:00:00Z", "VisitorId": "v"},
    "campaign_metrics": {"Date": "06/10/2026", "Tracking Code": "t", "Orders": "1"},
    "classifications": {"Key": "k", "Market": "DE"},
}


def text(*rows: dict[str, str], delimiter: str = ",") -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def cell(code: str, column: str, bad: str, good: str, data_type: str = "conversions", **more: Any) -> Case:
    """A cell; of two columns with a space between, the other stands as it is."""
    row = ROWS[data_type] | more.pop("row", {})
    delimiter = "\t" if data_type in ("campaign_metrics", "classifications") else ","
    files = [text(row | {column: value}, delimiter=delimiter) for value in (bad, good)]
    return Case(code, *files, data_type=data_type, **more)


def rows(code: str, bad: dict[str, str], good: dict[str, str], data_type: str = "conversions", **more: Any) -> Case:
    """Columns that a usual row has besides its own; an empty mapping takes nothing away."""
    delimiter = "\t" if data_type in ("campaign_metrics", "classifications") else ","
    files = [text(ROWS[data_type] | each, delimiter=delimiter) for each in (bad, good)]
    return Case(code, *files, data_type=data_type, **more)


def zipped(*names: str, content: str = "", **changes: Any) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, content or text(ORDER))
    data = bytearray(target.getvalue())
    for place, value in changes.get("at", {}).items():
        data[place] |= value
    return bytes(data)


def marked_encrypted() -> bytes:
    data = zipped("a.csv")
    return zipped("a.csv", at={6: 1, data.index(b"PK\x01\x02") + 8: 1})


def without(name: str) -> str:
    return text({column: value for column, value in ORDER.items() if column != name})


def xml(*orders: str, around: str = "") -> str:
    inside = "\n".join(f"<order>{order}</order>" for order in orders)
    return f"<?xml version='1.0'?>\n<orders>\n{around}{inside}\n</orders>\n"


def elements(row: dict[str, str], more: str = "") -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in row.items()) + more


COMMA = ColumnMapping.model_validate({"numbers": {"decimal": "comma", "thousands": "point"}})
PACKED = ColumnMapping(packed=("Sku", "Category", "Amount", "Quantity"))
GOOD = text(ORDER)
TWO = text(ORDER, ORDER | {"OrderId": "B"})
XML = xml(elements(ORDER), elements(ORDER | {"OrderId": "B"}))
XML_ITEM = "<Item><Sku>S</Sku><Category>C</Category><Quantity>1</Quantity><Amount>1</Amount></Item>"
BARE = {name: value for name, value in ORDER.items() if name != "Amount"}
NUMBERED = BARE | {"ItemSku1": "S", "ItemCategory1": "C", "ItemQuantity1": "1", "ItemAmount1": "1"}
NO_CLICK = {"ClickId": "", "CustomerId": ""}
METRICS = "Date\tTracking Code\tOrders\n"
DAYS = [f"{month:02}/{day:02}/2026\tt\t1\n" for month in range(1, 5) for day in range(1, 29)]
LINE = ORDER | ITEM
TWO_ITEMS = {"Sku": "S;T", "Category": "C;C", "Amount": "1;2"}
SPACED = GOOD.replace(",", ", ")
EARLIER, LATER = "20260610 09:00:00 UTC", "20260610 11:00:00 UTC"
BERLIN, SUITE = {"time_zone": "Europe/Berlin"}, {"expectations": True}
PAID = [ORDER | {"OrderId": code, "CurrencyCode": code} for code in sorted(in_use(RECEIVED.date()))]
CASES = [
    # cells
    cell("REQUIRED", "EventDate", "", "2026-06-10T10:00:00Z"),
    cell("NOT_INTEGER", "MediaId", "1.0", "1"),
    cell("NOT_DECIMAL", "Amount", "1e3", "1000"),
    cell("TOO_MANY_DECIMALS", "Amount", "1.005", "1.00"),
    cell("TOO_MANY_DIGITS", "Amount", "1234567.00", "123456.00"),
    cell("TOO_SMALL", "Amount", "-0.01", "0.00"),
    cell("TOO_LARGE", "DiscountPercentage", "101", "100", "product_catalog"),
    cell("NOT_BOOLEAN", "GiftPurchase", "maybe", "Yes"),
    cell("NOT_DATETIME", "EventDate", "10/06/2026", "2026-06-10T10:00:00+02:00"),
    cell("LOCAL_TIME_SKIPPED", "EventDate", "2026-03-29T02:30:00", "2026-03-29T03:30:00", settings=BERLIN),
    cell("LOCAL_TIME_REPEATED", "Date1", "2025-10-26T02:30:00", "2025-10-26T02:30:00+01:00", settings=BERLIN),
    cell("EVENT_IN_FUTURE", "EventDate", "2026-06-16T12:00:01Z", "2026-06-16T12:00:00Z"),
    cell("DATE_UNLIKELY", "Date1", "1989-12-31T23:59:59Z", "1990-01-01T00:00:00Z"),
    cell("TOO_LONG", "Note", "x" * 256, "x" * 255),
    cell("PATTERN", "CurrencyCode", "EURO", "eur"),
    cell("NOT_ALLOWED", "DeviceType", "FRIDGE", "PHONE", "clicks"),
    cell("CONTROL_CHARACTER", "OrderId", "A\x07", "A"),
    cell("SPACE_AROUND_KEY", "OrderId", "A ", "A b"),
    cell("CURRENCY_UNKNOWN", "CurrencyCode", "XYZ", "usd"),
    cell("LOOKS_GUARDED", "OrderId", "'=A", "'A"),
    # headers
    Case("MISSING_COLUMN", without("EventDate"), GOOD),
    rows("DUPLICATE_COLUMN", {"Oid": "A"}, {"Note": "A"}),
    rows("UNKNOWN_COLUMN", {"Colour": "red"}, {"Text1": "red"}),
    rows("READ_ONLY_COLUMNS", {"State": "PENDING"}, {"CustomerStatus": "NEW"}, "action_modifications"),
    rows("MORE_COLUMNS_THAN_ADVISED", *(dict.fromkeys(map(str, range(n)), "x") for n in (30, 29)), "classifications"),
    rows("ITEM_FORMS_MIXED", {"Sku": "S", "ItemSku1": "S"}, ITEM),
    rows("TOO_MANY_ITEMS", {"ItemSku1001": ""}, {"ItemSku1000": ""}),
    Case("ITEMS_SPREAD", text(NUMBERED), GOOD),
    # orders and files
    cell("AGE_NEAR_LIMIT", "EventDate", "2026-03-22T10:00:00Z", "2026-06-10T10:00:00Z"),
    Case("ORDER_LINES_APART", text(LINE, LINE | {"OrderId": "B"}, LINE), text(LINE, LINE)),
    Case("MORE_ROWS_THAN_ADVISED", *(text(*[CHANGE] * rows) for rows in (10_001, 10_000)), "action_modifications"),
    Case("OID_DUPLICATE", text(ORDER, ORDER), TWO),
    Case("ORDER_INCOMPLETE", text(LINE, LINE | {"Amount": "x"}), text(LINE, LINE)),
    rows("ORDER_TOTAL_MISMATCH", {"OrderTotal": "1.01"}, {"OrderTotal": "1.00"}),
    Case("CURRENCIES_UNUSUAL", text(*PAID[:51]), text(*PAID[:50]), settings=SUITE),
    # rows that cannot be read
    Case("CELL_COUNT", GOOD + "1,2\n", TWO),
    Case("BROKEN_QUOTE", TWO.replace(",A,", ',x"A"y,'), TWO.replace(",A,", ',"A",')),
    Case("BLANK_LINE", TWO.replace(",c\n1", ",c\n\n1"), TWO),
    Case("ROW_TOO_LONG", f"{METRICS}06/10/2026\t{'t' * 4096}\t1\n", f"{METRICS}06/10/2026\tt\t1\n", "campaign_metrics"),
    cell("NOT_MAPPED", "Amount", '"1.330,5x"', '"1.330,50"', settings={"mapping": COMMA}),
    cell("PACKED_COUNT", "Quantity", "1;2;3", "1;2", row=TWO_ITEMS, settings={"mapping": PACKED}),
    # XML
    Case("XML_REPEATED", xml(elements(ORDER, "<Note>a</Note><Note>b</Note>"), elements(ORDER)), XML),
    Case("XML_MIXED_TEXT", xml(elements(ORDER, "text"), elements(ORDER)), XML),
    Case("XML_MALFORMED", XML[:-12], XML),
    Case("XML_DOCTYPE", XML.replace("<orders>", "<!DOCTYPE orders><orders>"), XML),
    Case("XML_TOO_DEEP", xml("<a>" * 65 + "</a>" * 65), XML),
    Case("XML_TOO_MANY_COLUMNS", xml(elements(ORDER), *(f"<c{n}>1</c{n}>" for n in range(4096))), XML),
    Case("XML_ROW_UNKNOWN", XML.replace("</orders>", "<part><x>1</x></part><part><x>1</x></part></orders>"), XML),
    Case("XML_OUTSIDE_ROWS", XML.replace("<orders>", "<orders>Hello"), XML),
    Case("ROWS_SHARE_LINES", XML.replace("</order>\n<order>", "</order><order>"), XML),
    # packed files
    Case("PACKED_DAMAGED", gzip.compress(GOOD.encode())[:-9], gzip.compress(GOOD.encode())),
    Case("PACKED_TOO_LARGE", gzip.compress(TWO.encode()), gzip.compress(GOOD.encode()), most=len(GOOD)),
    Case("PACKED_TWICE", gzip.compress(gzip.compress(GOOD.encode())), gzip.compress(GOOD.encode())),
    Case("ZIP_NOT_ONE_FILE", zipped("a.csv", "b.csv"), zipped("a.csv")),
    Case("ZIP_ENCRYPTED", marked_encrypted(), zipped("a.csv")),
    Case("ZIP_UNSOUND", zipped("a.csv").replace(b"a.csv", b"b.csv", 1), zipped("a.csv")),
    # what delimited text may be
    Case("BLANK_LINES", *(GOOD + "\n" * count + GOOD.splitlines()[1] + "\n" for count in (10_001, 10_000))),
    Case("EMPTY_FILE", "", GOOD),
    Case("BINARY_FILE", b"\x89PNG\r\n\x00\x00", GOOD),
    Case("NOT_DELIMITED", '[{"OrderId": "A"}]', GOOD),
    Case("NUL_BYTE", GOOD.replace(",c", ",\0"), GOOD),
    Case("INVALID_ENCODING", GOOD.encode().replace(b",c", b",\xe9"), GOOD.replace(",c", ",é")),
    Case("ENCODING_MISMATCH", "\ufeff" + GOOD, GOOD, options="encoding=cp1252"),
    Case("BOM_REFUSED", "\ufeffKey\tMarket\nk\tDE\n", "Key\tMarket\nk\tDE\n", "classifications"),
    Case("BOM_MISSING", GOOD, GOOD.encode("utf-16"), options="encoding=utf-16"),
    Case("DELIMITER_UNKNOWN", GOOD.replace(",", " "), GOOD),
    Case("DELIMITER_AMBIGUOUS", SPACED, SPACED, only_bad="kind=delimited", options="delimiter=,\\x20"),
    Case("QUOTE_AMBIGUOUS", GOOD.replace(",c", ",'c'"), GOOD.replace(",c", ',"c"')),
    Case("UNCLOSED_QUOTE", GOOD.replace(",c", ',"c'), GOOD),
    Case("BARE_CR", GOOD.replace("\n", "\r"), GOOD.replace("\n", "\r\n")),
    Case("MIXED_NEWLINES", GOOD.replace("\n", "\r\n", 1), GOOD),
    Case("TOO_FEW_LINES", GOOD, f"\n\n\n{GOOD}", options="skip_lines=3"),
    Case("NO_HEADER", f"\n{GOOD}", GOOD),
    Case("EMPTY_HEADER", GOOD.replace("ClickId", ""), GOOD),
    Case("DUPLICATE_HEADER", GOOD.replace("ClickId", "Amount"), GOOD),
    Case("HEADER_REPEATED", GOOD + GOOD, TWO),
    Case("HEADER_ROWS", GOOD, GOOD.replace("\n", ",\n"), options="trailing_delimiter=yes"),
    Case("NAMES_COUNT", GOOD.replace("Amount,", ""), GOOD, options=f"names={','.join(ORDER)}"),
    Case("TRAILER_MISSING", GOOD, f"{GOOD}TRL|1\n", options="trailer=TRL|{rows}"),
    Case("TRAILER_MISMATCH", f"{GOOD}TRL|2\n", f"{GOOD}TRL|1\n", options="trailer=TRL|{rows}"),
    # rules and suites of conversions
    cell("CAMPAIGN_NOT_FOUND", "CampaignId", "x", "1000"),
    cell("ACTIONTRACKER_NOT_FOUND", "ActionTrackerId", "x", "2001"),
    cell("OID_MISSING", "OrderId", "", "A"),
    cell("EVENT_TOO_OLD", "EventDate", "2026-03-18T10:00:00Z", "2026-03-19T10:00:00Z"),
    rows("EMAIL_NOT_HASHED", {"CustomerEmail": "a@b.example"}, {"CustomerEmail": "a" * 40}),
    rows("ITEM_INCOMPLETE", {**ITEM, "Category": ""}, ITEM),
    rows("ITEM_MONEY", {**ITEM, "ItemPrice": "1"}, ITEM),
    rows("MEDIA_AMBIGUOUS", {"MediaId": "1", "MediaPartnerId": "1"}, {"MediaId": "1"}),
    rows("SUBTOTAL_WITH_ITEMS", {**ITEM, "OrderSubTotal": "1"}, {"OrderSubTotal": "1"}),
    rows("EVENT_CODE_MISSING", {"PropertyId": "1"}, {"PropertyId": "1", "EventCode": "SALE"}),
    rows("SUB_ID_ALONE", {"ClickId": "", "CustomerId": "1", "SubId1": "x"}, {"SubId1": "x"}),
    rows("COUNTRY_CODE_MISSING", {"PhoneNumber": "1"}, {"PhoneNumber": "1", "CountryCode": "DE"}),
    rows("ATTRIBUTION_MISSING", NO_CLICK, {**NO_CLICK, "CustomerId": "1"}),
    cell("AMOUNT_UNUSUAL", "Amount", "100000.00", "99999.99", settings=SUITE),
    cell("QUANTITY_UNUSUAL", "Quantity", "10001", "10000", settings=SUITE),
    cell("ORDER_ID_MANGLED", "OrderId", "1.2E+11", "120000000000", settings=SUITE),
    cell("CUSTOMER_STATUS_UNUSUAL", "CustomerStatus", "VIP", "new", settings=SUITE),
    # of the other data types
    rows("REASON_MISSING", {"Reason": ""}, {}, "action_modifications"),
    rows("RELATIVE_AMOUNT", {"ItemSubTotalDelta": "-1"}, {"Sku": "S"}, "action_modifications"),
    cell("ACTION_NOT_FOUND", "ActionId", "first", "1000.2001.3", "action_modifications"),
    cell("PERIOD_REVERSED", "EventDateTimeEnd", EARLIER, LATER, "aggregate_performance", settings=SUITE),
    cell("IP_NOT_HASHED", "IpAddress", "192.0.2.1", "a" * 40, "clicks"),
    rows("PRICE_WITHOUT_CURRENCY", {"CurrentPrice": "1"}, {"CurrentPrice": "1", "Currency": "EUR"}, "product_catalog"),
    cell("PRODUCTS_MALFORMED", "Products", "cat", ";cat", "web_events"),
    cell("EVENTS_MALFORMED", "Events", "sc Add", "scAdd", "web_events", row={"Products": ";cat"}),
    cell("PURCHASE_ID_FORM", "PurchaseId", "A-1", "A1", "web_events"),
    cell("PURCHASE_ID_CUT", "PurchaseId", "A" * 21, "A" * 20, "web_events"),
    cell("EVENT_WITHOUT_PRODUCT", "Products", "", ";cat", "web_events", row={"Events": "scAdd"}),
    cell("DATE_FORM", "Date", "2026-06-10", "06/10/2026", "campaign_metrics"),
    cell("DIMENSION_SEMICOLON", "Tracking Code", "a;b", "a,b", "campaign_metrics"),
    Case("TOO_MANY_DATES", *(METRICS + "".join(DAYS[:days]) for days in (91, 90)), "campaign_metrics"),
    Case("NO_DIMENSION", "Date\tOrders\n06/10/2026\t1\n", f"{METRICS}06/10/2026\tt\t1\n", "campaign_metrics"),
    Case("NO_METRIC", "Date\tTracking Code\n06/10/2026\tt\n", f"{METRICS}06/10/2026\tt\t1\n", "campaign_metrics"),
    cell("CARET_REFUSED", "Market", "D^E", "DE", "classifications"),
    cell("VALUE_ZERO", "Market", "0", "1", "classifications"),
    Case("NO_CLASSIFICATION", "Key\nk\n", "Key\tMarket\nk\tDE\n", "classifications"),
]  # fmt: skip

PROVEN_ELSEWHERE = {
    "VANISHED_COLUMN": "tests/scenarios/test_codes_by_history.py",
    "UNKNOWN_HEADER": "tests/core/validation/test_header.py",
    "NAMES_MISSING": "tests/core/formats/test_reading_cases.py",
    "ORDER_TOO_LONG": "tests/core/validation/test_orders.py",
    "EXPECTATION_NOT_EVALUATED": "tests/core/validation/test_expectations.py",
    "EMPTY": "tests/scenarios/test_codes_by_history.py",
    "PARCEL_EMPTY": "tests/scenarios/test_codes_by_history.py",
    "PARCEL_REFUSED": "tests/scenarios/test_codes_by_history.py",
    "MEMBERS_LEFT": "tests/core/steps/test_parcels.py",
    "SAME_NAME": "tests/core/steps/test_sameness.py",
    "CAME_LATE": "tests/core/steps/test_sameness.py",
    "MANIFEST_MISMATCH": "tests/shell/test_inbound_run.py",
    "MANIFEST_ROWS": "tests/shell/test_inbound_run.py",
    "PGP_NOT_ENCRYPTED": "tests/core/steps/test_openpgp.py",
    "PGP_WRONG_KEY": "tests/core/steps/test_openpgp.py",
    "PGP_KEY_EXPIRED": "tests/core/steps/test_openpgp.py",
    "PGP_KEY_EXPIRES": "tests/core/steps/test_openpgp.py",
    "PGP_NOT_SIGNED": "tests/core/steps/test_openpgp.py",
    "PGP_SIGNATURE": "tests/core/steps/test_openpgp.py",
    "PGP_COMPRESSED": "tests/core/steps/test_openpgp.py",
    "PGP_DAMAGED": "tests/core/steps/test_openpgp.py",
    "FILE_TOO_LARGE": "tests/core/steps/test_inbound_steps.py",
    "FILE_MISSING": "tests/core/steps/test_inbound_steps.py",
    "FILE_CHANGED": "tests/core/steps/test_inbound_steps.py",
    "FILE_DUPLICATE": "tests/scenarios/test_codes_by_history.py",
    "REFUSED": "tests/scenarios/test_codes_by_history.py",
}
"""Codes that need a ledger, keys, an endpoint or very much text, and the tests in which files get them and do not."""


def codes_of(case: Case, content: str | bytes, declared: str) -> tuple[set[str], str | None]:
    """Return all codes that the dry run of a file tells, and the one that it is refused for."""
    file_format = FileFormat.from_options(declared.split(" ") if declared else [])
    report = check_file(
        io.BytesIO(content.encode() if isinstance(content, str) else content),
        DATA_TYPES[case.data_type],
        ValidationOptions(**{"received_at": RECEIVED, "expectations": False} | case.settings),
        file_format=file_format,
        name="case.csv",
        most=case.most,
    )
    told = {finding.code for finding in (*report.errors, *report.file_warnings)}
    refused = report.file_error.code if report.file_error else None
    return told | {refused or ""}, refused


@pytest.mark.parametrize("case", CASES, ids=[case.code for case in CASES])
def test_a_file_that_gets_it_and_one_that_does_not(case: Case) -> None:
    bad, _ = codes_of(case, case.bad, case.only_bad or case.options)
    good, refused = codes_of(case, case.good, case.options)
    assert case.code in bad
    assert case.code not in good
    assert refused is None


def test_no_code_is_without_both() -> None:
    own = {code for data_type in DATA_TYPES.values() for code, _ in told_codes(data_type)}
    catalogue = {*FILE_CODES, *ROW_CODES, *BROKEN_ROW_CODES, *READING_CODES, *(own - set(APPLYING_CODES))}
    shown = {case.code for case in CASES}
    assert catalogue - shown == set(PROVEN_ELSEWHERE)
    assert shown <= catalogue | set(APPLYING_CODES)


@pytest.mark.parametrize("code", PROVEN_ELSEWHERE)
def test_what_is_proven_elsewhere_is(code: str) -> None:
    source = (PROJECT / PROVEN_ELSEWHERE[code]).read_text(encoding="utf-8")
    assert re.search(rf'"{code}["\:]', source)
