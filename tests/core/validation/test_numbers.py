from __future__ import annotations

import re
from decimal import Context, Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_connections.data_types import DataType

LIMITS = st.tuples(st.integers(1, 38), st.integers(0, 12)).filter(lambda size: size[1] <= size[0])
TEXTS = st.one_of(
    st.text(alphabet="0123456789.-+eE, ", min_size=1, max_size=12),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9).map(str),
    st.integers(-(10**40), 10**40).map(str),
)
EXACT = Context(prec=200)
QUIET = [HealthCheck.function_scoped_fixture]


def kind(**column) -> DataType:
    columns = [{"name": "K"}, {"name": "V", **column}]
    return DataType(name="test", title="Test", version="1", columns=columns, measures={"amounts": ["V"]})


def file_of(cells: list[str]) -> str:
    return "K,V\n" + "".join(f'k,"{cell}"\n' for cell in cells)


def expected(text: str, digits: int, decimals: int) -> str | Decimal:
    """Return the number that a text writes exactly, or the code that it gets."""
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return "NOT_DECIMAL"
    whole, _, fraction = text.removeprefix("-").partition(".")
    if len(fraction) > decimals:
        return "TOO_MANY_DECIMALS"
    if len(whole.lstrip("0")) > digits - decimals:
        return "TOO_MANY_DIGITS"
    return EXACT.create_decimal(text)


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(cells=st.lists(TEXTS, min_size=1, max_size=20), size=LIMITS, block_size=st.sampled_from([1, 40, 1 << 20]))
def test_decimals_are_exact_or_rejected_whatever_the_blocks(judge, cells, size, block_size):
    digits, decimals = size
    judged = judge(file_of(cells), kind(type="decimal", precision=digits, scale=decimals), block_size=block_size)
    answers = [expected(cell, digits, decimals) for cell in cells]
    for line, answer in enumerate(answers, start=2):
        if isinstance(answer, Decimal):
            assert judged.codes[line] == []
            assert judged.typed[line]["V"] == answer
        else:
            assert judged.codes[line] == [answer]
    good = [answer for answer in answers if isinstance(answer, Decimal)]
    total = Decimal(0)
    for answer in good:
        total = EXACT.add(total, answer)
    assert judged.totals.amounts == ({"XXX": total} if good else {})


@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(cells=st.lists(TEXTS, min_size=1, max_size=20), digits=st.integers(1, 38))
def test_whole_numbers_are_exact_or_rejected(judge, cells, digits):
    judged = judge(file_of(cells), kind(type="integer", precision=digits))
    for line, cell in enumerate(cells, start=2):
        if not re.fullmatch(r"-?[0-9]+", cell):
            assert judged.codes[line] == ["NOT_INTEGER"]
        elif len(cell.removeprefix("-").lstrip("0")) > digits:
            assert judged.codes[line] == ["TOO_MANY_DIGITS"]
        else:
            assert judged.codes[line] == []
            assert int(judged.typed[line]["V"]) == int(cell)


def test_sums_keep_every_digit_over_many_rows(judge):
    largest = "9" * 28 + "." + "9" * 10
    judged = judge(file_of([largest] * 1000), kind(type="decimal", precision=38, scale=10), block_size=4096)
    assert judged.totals.amounts == {"XXX": EXACT.multiply(Decimal(largest), Decimal(1000))}
