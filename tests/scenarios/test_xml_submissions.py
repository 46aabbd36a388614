"""XML from the file to the ledger: the same outcomes and the same way back as delimited text."""

from __future__ import annotations

from decimal import Decimal

from fixtures.desk import Desk, parsed

GOOD = {"CampaignId": "1000", "ActionTrackerId": "2001", "EventDate": "2026-02-20T10:00:00Z", "CurrencyCode": "EUR"}


def document(*orders: dict[str, str]) -> bytes:
    rows = "".join(
        "<order>" + "".join(f"<{name}>{value}</{name}>" for name, value in {**GOOD, **order}.items()) + "</order>\n"
        for order in orders
    )
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<orders>\n{rows}</orders>\n".encode()


def test_good_rows_are_applied_and_the_corrected_rejects_file_applies_the_rest(desk: Desk) -> None:
    orders = [{"OrderId": "A", "Amount": "1.50"}, {"OrderId": "B", "Amount": "1e3"}, {"OrderId": "C &amp; D"}]
    done = desk.submit(document(*orders), name="orders.xml")

    assert (done["state"], done["accepted"], done["amounts"]) == ("partly_applied", 2, {"EUR": "1.50"})
    assert desk.codes(done) == {4: ["NOT_DECIMAL"]}

    [rejects] = [content for name, content in desk.results(done).items() if name.endswith(".csv")]
    [rejected] = parsed(rejects)
    assert {name: rejected[name] for name in GOOD} == GOOD
    assert (rejected["OrderId"], rejected["Amount"], rejected["Line"]) == ("B", "1e3", "4")
    again = desk.submit(rejects.replace(b"1e3", b"1000"), name="orders_corrected.csv")

    assert (again["state"], again["accepted"]) == ("applied", 1)
    assert [action[:3] for action in desk.actions()] == [
        ("A", 1, Decimal("1.50")),
        ("B", 1, Decimal(1000)),
        ("C & D", 1, Decimal(0)),
    ]


def test_a_document_type_puts_the_whole_file_aside(desk: Desk) -> None:
    content = document({"OrderId": "A"}).replace(b"<orders>", b"<!DOCTYPE orders [<!ENTITY a 'b'>]><orders>")
    done = desk.submit(content, name="orders.xml")

    assert (done["state"], done["code"]) == ("quarantined", "XML_DOCTYPE")
    assert desk.actions() == []


def test_the_declared_row_is_read(desk: Desk) -> None:
    desk.connect("nested", format={"kind": "xml", "row": "order"})
    content = document({"OrderId": "A"}).replace(b"<orders>", b"<export><made><by>us</by></made><orders>")
    done = desk.submit(content.replace(b"</orders>", b"</orders></export>"), name="orders.xml", connection="nested")

    assert (done["state"], done["accepted"]) == ("applied", 1)
