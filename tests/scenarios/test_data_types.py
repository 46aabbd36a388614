"""Every built-in data type that its folder keeps: its codes, each with a row beside it that does not get it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from data_connections.catalog.data_type_versions import apply_data_types
from data_connections.steps.job import builtin_data_types
from fixtures.desk import Desk


class Case(NamedTuple):
    """Cells that get a code, on a row that is good without them."""

    code: str
    column: str
    bad: Mapping[str, str]


GOOD: Mapping[str, Mapping[str, str]] = {
    "clicks": {"ClickId": "c1", "EventDate": "2026-02-20T10:00:00Z", "CampaignId": "1000"},
    "store_locations": {"LocationId": "L1"},
}
CASES = {
    "clicks": [
        Case("REQUIRED", "ClickId", {"ClickId": ""}),
        Case("CAMPAIGN_NOT_FOUND", "CampaignId", {"CampaignId": "1001"}),
        Case("CAMPAIGN_NOT_FOUND", "CampaignId", {"CampaignId": "x"}),
        Case("EVENT_TOO_OLD", "EventDate", {"EventDate": "2025-01-26T10:00:00Z"}),
        Case("EVENT_IN_FUTURE", "EventDate", {"EventDate": "2026-03-05T10:00:00Z"}),
        Case("IP_NOT_HASHED", "IpAddress", {"IpAddress": "192.0.2.1"}),
        Case("NOT_ALLOWED", "DeviceType", {"DeviceType": "TOASTER"}),
        Case("MEDIA_AMBIGUOUS", "MediaId", {"MediaId": "1", "MediaPartnerId": "2"}),
        Case("NOT_DECIMAL", "Payout", {"Payout": "0,05"}),
    ],
    "store_locations": [
        Case("PATTERN", "CountryCode", {"CountryCode": "Germany"}),
        Case("NOT_ALLOWED", "Status", {"Status": "shut"}),
    ],
}


def written(rows: list[Mapping[str, str]], delimiter: str = ",") -> str:
    """Return rows as a delimited file, with the columns of all of them."""
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def connected(desk: Desk, data_type: str, **changes: Any) -> str:
    """Make a connection that takes a data type, with its table, and return its name."""
    apply_data_types(desk.ledger, [builtin_data_types()[data_type]], "tester")
    desk.connect(data_type.replace("_", "-"), data_type=data_type, **changes)
    return data_type.replace("_", "-")


@pytest.mark.parametrize("data_type", CASES)
def test_every_code_comes_from_a_row_and_not_from_the_one_beside_it(desk: Desk, data_type: str) -> None:
    name, good = connected(desk, data_type), GOOD[data_type]
    for number, case in enumerate(CASES[data_type]):
        done = desk.submit(written([{**good, **case.bad}, good]), f"{number}.csv", name)

        found = [(error["line"], error["code"], error["column"]) for error in done["errors"]]
        assert found == [(2, case.code, case.column)], case
        assert (done["accepted"], done["rejected"]) == (1, 1), case


def test_clicks_are_kept_line_by_line(desk: Desk) -> None:
    connected(desk, "clicks")
    good = GOOD["clicks"]
    rows = [
        {**good, "MediaId": "71", "Payout": "0.05", "Browser": "x", "IpAddress": "ab" * 16},
        {**good, "CampaignId": "", "UniqueClick": "yes"},
    ]
    done = desk.submit(written(rows), connection="clicks")

    assert (done["accepted"], done["amounts"]) == (2, {"EUR": "0.050000"})
    kept = desk.ledger.all("select program_id, click_id, media_id, unique_click, line, extra from click order by line")
    assert [tuple(row.values()) for row in kept] == [
        (1000, "c1", 71, None, 2, {"Browser": "x", "IpAddress": "ab" * 16}),
        (1000, "c1", None, True, 3, None),
    ]
    assert desk.submit(written(rows), connection="clicks")["state"] == "duplicate"
