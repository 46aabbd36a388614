from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_connections.data_types import DataType
from data_connections.errors import FileRefused
from data_connections.validation import orders, runs

ORDERS = DataType(
    name="orders",
    title="Orders",
    version="1",
    columns=[
        {"name": "Shop", "type": "integer"},
        {"name": "Id", "required": True},
        {"name": "Sku"},
        {"name": "N", "type": "integer"},
    ],
    group={"key": ["Shop", "Id"], "item": "Sku", "repeated_code": "AGAIN", "incomplete_code": "INCOMPLETE"},
)
HEADER = "Shop,Id,Sku,N\n"
A, R, D = "accepted", "rejected", "duplicate"

SCENARIOS = {
    "items of one order": (["1,a,x,1", "1,a,y,1", "1,b,x,1"], [A, A, A]),
    "one bad item rejects its siblings, before and after": (
        ["1,a,x,1", "1,a,y,bad", "1,a,z,1", "1,b,x,1"],
        [R, R, R, A],
    ),
    "an order out of sequence": (["1,a,x,1", "1,b,x,1", "1,a,y,1"], [A, A, D]),
    "again after a rejected order": (["1,a,x,bad", "1,b,x,1", "1,a,x,1"], [R, A, D]),
    "a bad line out of sequence is rejected, its sibling a duplicate": (
        ["1,a,x,1", "1,b,x,1", "1,a,y,bad", "1,a,z,1"],
        [A, A, R, D],
    ),
    "an order without items twice in a row": (["1,a,,1", "1,a,,2", "1,b,,1"], [A, D, A]),
    "a bad repetition rejects the order": (["1,a,,1", "1,a,,bad"], [R, R]),
    "items after an order without items": (["1,a,,1", "1,a,x,1"], [A, D]),
    "an order without items after its items": (["1,a,x,1", "1,a,,1", "1,a,y,1"], [A, D, A]),
    "the same number in another shop is another order": (["1,a,x,1", "2,a,x,1", "1,b,x,1"], [A, A, A]),
    "numbers are compared as numbers": (["1,a,x,1", "001,a,y,1", "1,a,z,bad"], [R, R, R]),
    "texts are compared exactly": (["1,a,x,1", "1,A,x,1", "1,a ,x,1"], [A, A, A]),
    "too few cells in the middle of an order": (["1,a,x,1", "1,a,y", "1,a,z,1", "1,b,x,1"], [R, R, R, A]),
    "too few cells at the end of an order": (["1,a,x,1", "1,a,y", "1,b,x,1"], [R, R, A]),
    "too few cells at the start of an order": (["1,b,x,1", "1,a,y", "1,a,x,1"], [A, R, R]),
    "too many cells in front of the key": (["1,a,x,1", "0,1,a,y,1", "1,b,x,1"], [R, R, A]),
    "too few cells of no order in sight": (["1,a,x,1", "?", "1,b,x,1"], [A, R, A]),
    "whatever stands in the middle of an order belongs to it": (["1,a,x,1", "?", "1,a,y,1"], [R, R, R]),
    "a bad cell of the key in the middle of an order": (["1,a,x,1", "1x,a,y,1", "1,a,z,1"], [R, R, R]),
    "a bad cell of the key at the end of an order": (["1,a,x,1", "1x,a,y,1", "1,b,z,1"], [R, R, A]),
    "a missing number in the middle of an order": (["1,a,x,1", "1,,y,1", "1,a,z,1"], [R, R, R]),
    "a blank line in the middle of an order": (["1,a,x,1", "", "1,a,y,1"], [A, R, A]),
    "a blank line and a broken one in the middle of an order": (["1,a,x,1", "", "?", "1,a,y,1"], [R, R, R, R]),
    "a blank line between orders": (["1,a,x,1", "", "1,b,x,1"], [A, R, A]),
    "a missing number after an order": (["1,a,x,1", "1,,y,1", "1,b,z,1"], [A, R, A]),
}


REGROUPED = {
    "an order out of sequence": (["1,a,x,1", "1,b,x,1", "1,a,y,1", "1,b,y,1"], [A, A, A, A]),
    "one bad item rejects its siblings, wherever they are": (
        ["1,a,x,1", "1,b,x,1", "1,a,y,bad", "1,c,x,1", "1,a,z,1"],
        [R, A, R, A, R],
    ),
    "an order without items comes once": (["1,a,,1", "1,b,,1", "1,a,,1"], [A, A, D]),
    "items after an order without items": (["1,a,,1", "1,b,,1", "1,a,x,1"], [A, A, D]),
    "an order without items after its items": (["1,a,x,1", "1,b,,1", "1,a,,1", "1,a,y,1"], [A, A, D, A]),
    "the same number in another shop": (["1,a,x,1", "2,a,x,bad", "1,a,y,1"], [A, R, A]),
    "rows without any key stand alone": ([",,x,1", "1,a,x,1", ",,x,bad"], [R, A, R]),
    "too few cells in the middle of a part": (["1,a,x,1", "?", "1,a,y,1", "1,b,x,1", "1,a,z,1"], [R, R, R, A, R]),
}


@pytest.mark.parametrize("name", REGROUPED)
@pytest.mark.parametrize("block_size", [1, 1 << 20])
def test_orders_whose_lines_may_stand_anywhere(judge, name, block_size):
    rows, outcomes = REGROUPED[name]
    judged = judge(HEADER + "\n".join(rows) + "\n", ORDERS, block_size=block_size, order_lines="regroup")
    assert list(judged.outcomes.values()) == outcomes


def test_lines_apart_are_a_warning_about_the_file_either_way(judge):
    text = HEADER + "1,a,x,1\n1,b,,1\n1,a,y,1\n1,a,z,1\n1,b,,1\n"
    for lines, said in (
        ("consecutive", "of their Id: 2. .* not taken .AGAIN."),
        ("regroup", "of their Id: 2. .* count"),
    ):
        judged = judge(text, ORDERS, order_lines=lines)
        [warning] = judged.validation.warnings
        assert (warning.code, warning.column, warning.line) == ("ORDER_LINES_APART", "Id", None)
        assert re.search(said, warning.message)
    assert judge(HEADER + "1,b,,1\n1,a,x,1\n1,b,,1\n", ORDERS).validation.warnings == ()


def test_the_line_that_an_order_fails_by_is_named_from_far_away(judge):
    judged = judge(HEADER + "1,a,x,1\n1,b,x,1\n1,a,y,bad\n", ORDERS, order_lines="regroup")
    assert judged.codes == {2: ["INCOMPLETE"], 3: [], 4: ["NOT_INTEGER"]}
    assert "line 4" in judged.findings[0].message


TOTALS = {
    "the lines add up, and only the first says to what": (["a,x,1,3", "a,y,2,", "b,x,1,"], ["", "", ""]),
    "the lines do not add up": (["a,x,1,4", "a,y,2,4", "b,x,5,5"], ["TOTAL", "INCOMPLETE", ""]),
    "the lines say different totals": (["a,x,1,3", "a,y,2,2"], ["TOTAL", "INCOMPLETE"]),
    "an order without items": (["a,,3,3", "b,,3,2"], ["", "TOTAL"]),
    "what comes again does not count": (["a,,3,3", "a,,3,3", "b,x,1,1"], ["", "AGAIN", ""]),
    "a bad line says it all": (["a,x,bad,3", "a,y,2,3"], ["NOT_DECIMAL", "INCOMPLETE"]),
    "nothing is said of nothing": (["a,x,,0", "b,x,,"], ["", ""]),
}
TOTALS_APART = {
    "consecutive": (["a,x,1,3", "b,x,1,1", "a,y,2,3"], ["TOTAL", "", "AGAIN"]),
    "regroup": (["a,x,1,3", "b,x,1,2", "a,y,2,3", "b,y,2,"], ["", "TOTAL", "", "INCOMPLETE"]),
}
PRICED = DataType(
    name="priced",
    title="Priced orders",
    version="1",
    columns=[
        {"name": "Id"},
        {"name": "Sku"},
        {"name": "Amount", "type": "decimal", "scale": 2},
        {"name": "Total", "type": "decimal", "scale": 2},
    ],
    group={
        "key": ["Id"],
        "item": "Sku",
        "repeated_code": "AGAIN",
        "incomplete_code": "INCOMPLETE",
        "total": "Total",
        "total_code": "TOTAL",
    },
    measures={"amounts": ["Amount"]},
)


@pytest.mark.parametrize("name", TOTALS)
@pytest.mark.parametrize("lines", ["consecutive", "regroup"])
@pytest.mark.parametrize("block_size", [1, 1 << 20])
def test_an_order_is_worth_what_it_says(judge, name, lines, block_size):
    rows, codes = TOTALS[name]
    judged = judge("Id,Sku,Amount,Total\n" + "\n".join(rows) + "\n", PRICED, block_size, order_lines=lines)
    assert ["".join(found) for found in judged.codes.values()] == codes


@pytest.mark.parametrize("lines", TOTALS_APART)
def test_the_total_of_an_order_whose_lines_stand_apart(judge, lines):
    rows, codes = TOTALS_APART[lines]
    judged = judge("Id,Sku,Amount,Total\n" + "\n".join(rows) + "\n", PRICED, 1, order_lines=lines)
    assert ["".join(found) for found in judged.codes.values()] == codes


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("block_size", [1, 1 << 20])
def test_orders(judge, name, block_size):
    rows, outcomes = SCENARIOS[name]
    judged = judge(HEADER + "\n".join(rows) + "\n", ORDERS, block_size=block_size)
    assert list(judged.outcomes.values()) == outcomes


def test_every_row_that_is_not_accepted_says_why(judge):
    judged = judge(HEADER + "1,a,x,1\n1,a,y,bad\n1,b,x,1\n1,a,z,1\n", ORDERS)
    assert judged.codes == {2: ["INCOMPLETE"], 3: ["NOT_INTEGER"], 4: [], 5: ["AGAIN"]}
    incomplete = next(finding for finding in judged.findings if finding.line == 2)
    assert (incomplete.column, incomplete.severity) == ("Id", "error")
    assert "line 3" in incomplete.message


def test_without_a_column_of_items_every_repetition_is_a_duplicate(judge):
    assert list(judge("Shop,Id,N\n1,a,1\n1,a,1\n", ORDERS).outcomes.values()) == [A, D]


def test_rows_without_any_key_stand_alone(judge):
    columns = [{"name": "Shop", "type": "integer"}, {"name": "Id"}, {"name": "Sku"}, {"name": "N", "type": "integer"}]
    optional = DataType(**{**ORDERS.model_dump(), "columns": columns})
    assert list(judge(HEADER + ",,x,1\n,,y,bad\n,,x,1\n", optional).outcomes.values()) == [A, R, A]


def test_a_group_without_items_takes_all_its_lines(judge):
    lines = ORDERS.model_copy(update={"group": ORDERS.group.model_copy(update={"item": None})})
    assert list(judge(HEADER + "1,a,,1\n1,a,,2\n1,b,,1\n1,a,,1\n", lines).outcomes.values()) == [A, A, A, D]


def test_an_order_without_end_refuses_the_file(judge, monkeypatch):
    monkeypatch.setattr(orders, "LONGEST_RUN", 50)
    text = HEADER + "".join(f"1,a,{line},1\n" for line in range(60)) + "1,b,x,1\n"
    with pytest.raises(FileRefused, match="ORDER_TOO_LONG") as refused:
        judge(text, ORDERS, block_size=64)
    assert refused.value.line == 2


def test_endless_rows_without_key_do_not_pile_up(judge):
    text = HEADER + "1,a,x,1\n" + "1,,x,1\n" * (3 * runs.LONGEST_GAP) + "1,a,y,1\n1,b,x,1\n"
    results = [list(judge(text, ORDERS, block_size=size).outcomes.values()) for size in (200, 10_000, 1 << 20)]
    assert results[0] == results[1] == results[2]
    assert results[0] == [A, *[R] * (3 * runs.LONGEST_GAP), D, A]


ROWS = st.tuples(
    st.sampled_from(["1", "01", "2", "x"]),
    st.sampled_from(["a", "b", "c", "A", ""]),
    st.sampled_from(["s", ""]),
    st.sampled_from(["1", "1", "1", "bad"]),
    st.sampled_from(["whole", "whole", "whole", "whole", "short", "long", "blank"]),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROWS, min_size=1, max_size=25),
    block_size=st.sampled_from([1, 30, 70, 1 << 20]),
    lines=st.sampled_from(["consecutive", "regroup"]),
)
def test_outcomes_agree_with_a_simple_model_whatever_the_blocks(judge, rows, block_size, lines):
    while rows and rows[-1][4] == "blank":  # blank lines at the end are nothing
        rows.pop()
    judged = judge(HEADER + "".join(_text(row) for row in rows), ORDERS, block_size=block_size, order_lines=lines)
    assert list(judged.outcomes.values()) == model(rows, regroups=lines == "regroup")
    assert judged.totals.rows == len(rows)


def _text(row):
    shop, number, sku, count, form = row
    cells = {
        "blank": [],
        "whole": [shop, number, sku, count],
        "short": [shop, number, sku],
        "long": [shop, number, sku, count, "!"],
    }
    return ",".join(cells[form]) + "\n"


def model(rows, *, regroups=False):
    """Decide orders row by row, as docs/data-types.md describes it."""
    sure = [form == "whole" and shop != "x" and number != "" for shop, number, _, _, form in rows]
    bad = [not ok or row[3] == "bad" for ok, row in zip(sure, rows, strict=True)]
    key = [(int(row[0]), row[1]) if ok else None for ok, row in zip(sure, rows, strict=True)]
    run = [None] * len(rows)
    number = 0
    previous = None
    for index, ok in enumerate(sure):
        if ok:
            number += previous is None or key[previous] != key[index]
            run[index], previous = number, index
    for index, ok in enumerate(sure):
        if rows[index][4] == "blank":
            run[index] = f"blank {index}"
        elif not ok:
            run[index] = _run_of_unsure(rows, sure, run, index)
    if regroups:
        of_run = {run[index]: key[index] for index, ok in enumerate(sure) if ok}
        run = [of_run.get(each, each) for each in run]
    outcomes = [R if each else A for each in bad]
    item = [row[2] != "" or row[4] != "whole" for row in rows]
    seen = set()
    for current in dict.fromkeys(run):
        members = [index for index, each in enumerate(run) if each == current]
        keys = {key[index] for index in members} - {None}
        _settle(outcomes, members, item, repeated=bool(keys & seen))
        seen |= keys
    return outcomes


def _settle(outcomes, members, item, *, repeated):
    first = members[0]
    for index in members:
        alone = index != first and not (item[index] and item[first])
        if outcomes[index] == A and (repeated or alone):
            outcomes[index] = D
    if any(outcomes[index] == R for index in members):
        for index in members:
            outcomes[index] = R if outcomes[index] == A else outcomes[index]


def _run_of_unsure(rows, sure, run, index):
    before = next((other for other in range(index - 1, -1, -1) if sure[other]), None)
    after = next((other for other in range(index + 1, len(rows)) if sure[other]), None)
    if before is not None and after is not None and run[before] == run[after]:
        return run[before]
    if before is not None and all(_alike(rows[other], rows[before]) for other in range(before + 1, index + 1)):
        return run[before]
    if after is not None and all(_alike(rows[other], rows[after]) for other in range(index, after)):
        return run[after]
    return f"alone {index}"


def _alike(unsure, neighbour):
    """Say whether an unsure row repeats its neighbour's key cells; blank lines do not matter."""
    if unsure[4] == "blank":
        return True
    if unsure[4] == "whole":
        shop_fits = unsure[0] == neighbour[0] or unsure[0] == "x"
        return unsure[1] == neighbour[1] and shop_fits
    cells = _text(unsure).rstrip("\n").split(",")
    shift = len(cells) - 4
    return all(
        any(0 <= place < len(cells) and cells[place] == neighbour[position] for place in (position, position + shift))
        for position in (0, 1)
    )
