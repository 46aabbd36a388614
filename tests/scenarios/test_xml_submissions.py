"""XML from the file to the ledger: the same outcomes and the same way back as delimited text."""

from __future__ import annotations

from decimal import Decimal

import pytest

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


def nested(order: str, *items: str, total: str = "") -> str:
    cells = "".join(f"<{name}>{value}</{name}>" for name, value in GOOD.items())
    inside = "".join(f"<line>{item}</line>" for item in items)
    return f"<order>{cells}<OrderId>{order}</OrderId>{total}<lines>{inside}</lines></order>\n"


def item(sku: str, amount: str, quantity: int = 1) -> str:
    return f"<Sku>{sku}</Sku><Category>C</Category><Quantity>{quantity}</Quantity><Amount>{amount}</Amount>"


def test_items_inside_an_order_are_lines_of_it(desk: Desk) -> None:
    orders = [nested("A", item("S", "1.50"), item("T", "2.00")), nested("B", item("S", "x"), item("T", "1"))]
    orders += [
        nested("C", "<SubCategory/>" + item("S", "4.00")),
        nested("D", *[item(f"S{n}", "1.00") for n in range(30)]),
    ]
    done = desk.submit(f"<orders>\n{''.join(orders)}</orders>", name="orders.xml")

    assert desk.actions() == [("A", 1, Decimal("3.50"), "EUR"), ("C", 1, 4, "EUR"), ("D", 1, 30, "EUR")]
    assert desk.codes(done) == {4: ["NOT_DECIMAL"], 5: ["ORDER_INCOMPLETE"]}
    items = desk.ledger.all("select count(*) as items from action_item")
    assert items == [{"items": 33}]


def test_one_order_with_several_items_is_one_order(desk: Desk) -> None:
    desk.submit(f"<orders>{nested('A', item('S', '1.50'), item('T', '2.00'))}</orders>", name="orders.xml")

    assert desk.actions() == [("A", 1, Decimal("3.50"), "EUR")]


def test_the_total_of_an_order_has_to_be_what_its_items_add_up_to(desk: Desk) -> None:
    orders = [nested("A", item("S", "1.50"), item("T", "2.00"), total="<Amount>3.50</Amount>")]
    orders += [nested("B", item("S", "1.50"), item("T", "2.00"), total="<Amount>3.51</Amount>")]
    orders += [nested("C", item("S", "x"), item("T", "2.00"), total="<Amount>9.00</Amount>")]
    orders += [nested("D", total="<Amount>7.00</Amount>"), nested("E", item("S", "4.00"))]
    done = desk.submit(f"<orders>\n{''.join(orders)}</orders>", name="orders.xml")

    assert desk.actions() == [("A", 1, Decimal("3.50"), "EUR"), ("D", 1, 7, "EUR"), ("E", 1, 4, "EUR")]
    assert desk.codes(done) == {
        4: ["ORDER_TOTAL_MISMATCH"],
        5: ["ORDER_INCOMPLETE"],
        6: ["NOT_DECIMAL"],
        7: ["ORDER_INCOMPLETE"],
    }
    [told] = desk.ledger.all("select message from outcome where code = 'ORDER_TOTAL_MISMATCH'")
    assert told["message"].startswith("The lines of this OrderId add up to 3.50, and the order says 3.51.")
    [rejects] = [content for name, content in desk.results(done).items() if name.endswith(".csv")]
    again = desk.submit(rejects.replace(b"3.51", b"3.50").replace(b",x,", b",7.00,"), name="orders_corrected.csv")

    assert (again["state"], again["accepted"], again["amounts"]) == ("applied", 4, {"EUR": "12.50"})


@pytest.mark.parametrize(
    "order",
    [
        nested("A", item("S", "1"), item("T", "2"), total="<Quantity>2</Quantity>"),
        nested("A", *["<part><Sku>S</Sku></part><part><Sku>T</Sku></part>"] * 2),
    ],
    ids=["the order's pieces would count for each item", "items of items"],
)
def test_what_would_be_a_guess_about_items_refuses_the_file(desk: Desk, order: str) -> None:
    done = desk.submit(f"<orders>{order}</orders>", name="orders.xml")

    assert (done["state"], done["code"]) == ("quarantined", "ITEM_FORMS_MIXED")


def test_what_an_item_has_beside_its_columns_stays_with_it(desk: Desk) -> None:
    desk.connect("orders", mapping={"columns": {"ItemText1": {"column": "lines/line/Size"}}}, format={"row": "order"})
    items = [item("S", "1.00") + "<Size>M</Size><Weight>2</Weight>", item("T", "2.00") + "<Size>L</Size>"]
    done = desk.submit(f"<orders>{nested('A', *items)}</orders>", name="orders.xml")

    rows = desk.ledger.all("select sku, extra ->> 'ItemText1' as size from action_item order by number")
    assert [tuple(row.values()) for row in rows] == [("S", "M"), ("T", "L")]
    unknown = [warning["column"] for warning in done["file_warnings"] if warning["code"] == "UNKNOWN_COLUMN"]
    assert unknown == ["lines/line/Weight"]


def test_what_repeats_and_is_no_item_refuses_the_file(desk: Desk) -> None:
    twice = nested("A", item("S", "1.00"), total="<Shop><City>B</City></Shop>" * 2)
    done = desk.submit(f"<orders>{twice}</orders>", name="orders.xml")

    assert (done["state"], done["code"]) == ("quarantined", "XML_REPEATED")
    assert "Shop comes twice" in done["message"]


def test_a_text_that_comes_twice_still_breaks_its_row(desk: Desk) -> None:
    order = nested("A", item("S", "1"), item("T", "2"), total="<Note>a</Note><Note>b</Note>")
    done = desk.submit(f"<orders>{order}</orders>", name="orders.xml")

    assert {code for codes in desk.codes(done).values() for code in codes} == {"XML_REPEATED"}
    assert desk.actions() == []


def test_modifications_come_as_xml_and_in_numbered_columns(desk: Desk) -> None:
    desk.connect("changes", data_type="action_modifications", details={"file_pattern": "*"})
    orders = [nested(name, item("S", "10.00", 2), item("T", "5.00")) for name in "ABC"]
    desk.submit(f"<orders>{''.join(orders)}</orders>", name="orders.xml")
    xml = """<changes>
<change><ActionTrackerId>2001</ActionTrackerId><OrderId>A</OrderId><Reason>OTHER</Reason>
<lines><line><Sku>S</Sku><Quantity>1</Quantity></line><line><Sku>T</Sku><Amount>4.00</Amount></line></lines></change>
<change><ActionTrackerId>2001</ActionTrackerId><OrderId>B</OrderId><Reason>OTHER</Reason></change>
</changes>"""
    done = desk.submit(xml, "changes.xml", "changes")
    assert desk.codes(done) == {4: ["NO_CHANGE"]}
    header = "ActionTrackerId,OrderId,Reason,Sku1,Quantity1,Amount1,ItemSku2,ItemQuantity2"
    done = desk.submit(f"{header}\n2001,C,OTHER,S,,8.00,T,0\n2001,B,OTHER,T,0,,,\n", "changes.csv", "changes")

    assert (done["state"], done["rows"]) == ("applied", 3)
    assert desk.actions() == [("A", 1, 9, "EUR"), ("B", 1, 10, "EUR"), ("C", 1, 8, "EUR")]


def test_a_catalog_has_no_items_so_that_what_repeats_breaks_its_row(desk: Desk) -> None:
    desk.connect("catalog", data_type="product_catalog")
    shipping = "<shipping><country>DE</country></shipping>" * 2
    text = (
        f"<rss><channel><item><id>1</id><title>T</title><link>https://a.example</link>{shipping}</item></channel></rss>"
    )
    done = desk.submit(text, "feed.xml", "catalog")

    assert desk.codes(done) == {1: ["XML_REPEATED"]}
