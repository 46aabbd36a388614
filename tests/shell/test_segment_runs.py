"""Remarketing segments from the page's own variables to the receiver's folder, all by generated DAGs."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from data_connections.catalog.reference import load_reference
from data_connections.catalog.reference_ledger import apply_reference
from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from fixtures.airflow_home import SetCredentials
from fixtures.catalog import INBOUND, OUTBOUND, Apply, changed
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database", "airflow_ledger")]

DAY = "2026-10-05"
SEGMENTS = ("segment_cart_abandonment", "segment_purchases", "segment_product_views", "segment_metrics")
LONG = "P2345678901234567890"
HITS = [
    # Anna puts the cat into the cart and buys it; another visitor loads the page of that purchase again.
    ("08:00", "anna", "", "", ";cat", "scAdd", ""),
    ("08:10", "anna", "", "", ";cat;1;50", "purchase", f"{LONG}A"),
    ("08:11", "eve", "", "", ";cat;1;50", "purchase", f"{LONG}B"),
    # Ben, whom a message brought, puts the dog into the cart and only looks at it after that.
    ("09:00", "ben", "r-1", "m-1", ";dog", "scAdd", ""),
    ("09:30", "ben", "", "", ";dog", "prodView", ""),
    # Cleo's page sets products and no event: that is a product view. She is known by the message alone.
    ("10:00", "", "r-2", "m-2", ";cat", "", ""),
    # Dan buys first and comes back for more.
    ("11:00", "dan", "", "", ";dog;2;80", "purchase", "D1"),
    ("12:00", "dan", "", "", ";cat", "scAdd", ""),
    # The events fire, and no products variable is on the same hit.
    ("13:00", "finn", "", "", "", "scAdd", ""),
    ("13:01", "finn", "", "", "", "purchase", "F1"),
    ("13:02", "finn", "", "", "", "event7", ""),
]


@pytest.fixture
def dags(apply: Apply, ledger: Ledger, sftp_partner: PartnerServer, set_credentials: SetCredentials) -> dict[str, Any]:
    """The generated DAGs of web events and of every segment."""
    apply_reference(ledger, load_reference(PROJECT / "include" / "reference"), "tests")
    set_credentials()
    port = {"port": sftp_partner.port}
    packaging, file_name = {"manifest": True}, {"file_name": "{report}_{business_date}.csv"}
    outbound = [
        changed(
            OUTBOUND,
            name=name.replace("_", "-"),
            data_type=name,
            time_zone="UTC",
            packaging=packaging,
            details=port | file_name,
        )
        for name in SEGMENTS
    ]
    apply(changed(INBOUND, name="web-events", data_type="web_events", details=port), *outbound)
    found = DagBag(dag_folder=PROJECT / "dags", bundle_name="dags-folder").dags
    for dag in found.values():
        for task in dag.tasks:
            task.retry_delay = timedelta(seconds=0.1)
    return found


def test_segments_of_a_day(dags: dict[str, Any], ledger: Ledger, sftp_partner: PartnerServer) -> None:
    with (sftp_partner.files / "in" / "hits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["EventDate", "VisitorId", "RecipientId", "MessageId", "s.products", "s.events", "s.purchaseID"]
        )
        writer.writerows((f"{DAY}T{hit[0]}:00Z", *hit[1:]) for hit in HITS)
    assert str(dags["web-events"].test().state) == "success"
    taken = ledger.one("select rows, accepted, duplicate, rejected from submission")
    assert taken == {"rows": 11, "accepted": 10, "duplicate": 1, "rejected": 0}
    told = ledger.all("select line, outcome, code, message from outcome where code <> 'PURCHASE_ID_CUT' order by line")
    assert [(each["line"], each["outcome"], each["code"]) for each in told] == [
        (4, "duplicate", "PURCHASE_DUPLICATE"),
        (10, "accepted", "EVENT_WITHOUT_PRODUCT"),
        (11, "accepted", "EVENT_WITHOUT_PRODUCT"),
    ]
    assert "products variable and its event fire on the same page" in told[1]["message"]

    found = {}
    for name in SEGMENTS:
        assert str(dags[name.replace("_", "-")].test(run_conf={"business_date": DAY}).state) == "success"
        out = sftp_partner.files / "out" / f"{name}_{DAY}.csv"
        found[name] = list(csv.DictReader(out.read_text().splitlines()))
        manifest = out.with_suffix(".manifest").read_text()
        assert f"Data-Kind: remarketing segment\nReport: {name}\n" in manifest
        assert f"Date-From: {DAY}\nDate-To: {DAY}\nDate-Basis: event\n" in manifest

    assert _shown(found["segment_cart_abandonment"], "VisitorId RecipientId MessageId ProductId") == [
        ("ben", "r-1", "m-1", "dog"),
        ("dan", "", "", "cat"),
    ]
    assert _shown(found["segment_purchases"], "VisitorId PurchaseId ProductId Quantity Revenue") == [
        ("anna", LONG, "cat", "1", "50"),
        ("dan", "D1", "dog", "2", "80"),
    ]
    assert _shown(found["segment_product_views"], "VisitorId RecipientId MessageId ProductId ProductViews") == [
        ("ben", "", "", "dog", "1"),
        ("", "r-2", "m-2", "cat", "1"),
    ]
    measures = "ProductId CartAdds Orders ProductViews OrdersPerCartAdd ProductViewsPerOrder"
    assert _shown(found["segment_metrics"], measures) == [
        ("cat", "2", "1", "1", "0.500000", "1.000000"),
        ("dog", "1", "1", "1", "1.000000", "1.000000"),
    ]


def _shown(rows: list[dict[str, str]], columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns.split()) for row in rows]
