"""Reports are data: what is wrong with one is said with file, line and the nearest right word."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from data_connections.errors import ConfigurationError, TotalsMismatch, UnknownName
from data_connections.ledger import Ledger
from data_connections.reports import Layout, Parameters, Report, load_reports, write_checked
from data_connections.reports.library import load_report
from data_connections.settings import PROJECT
from fixtures.books import Sale, Shop, book

DEFINITION = """\
title: Numbers
description: A report of one's own.
date_basis: event
columns:
  - {name: Name, type: text}
  - {name: Amount, type: decimal}
check:
  per: Name
  totals: [Amount]
"""
RANGE = "%(date_from)s::date <= %(date_to)s::date"
QUERY = f'select \'a\' as "Name", 1.50 as "Amount" where {RANGE}'
CHECK = f'select \'a\' as "Name", 1 as rows, 1.50 as "Amount" where {RANGE}'
DAY = Parameters(date(2026, 6, 10), date(2026, 6, 10))

MakeReport = Callable[..., Report]


@pytest.fixture
def make(tmp_path: Path) -> MakeReport:
    def made(definition: str = DEFINITION, query: str = QUERY, check: str = CHECK) -> Report:
        for name, text in (("numbers.yaml", definition), ("numbers.sql", query), ("numbers.check.sql", check)):
            (tmp_path / name).write_text(text)
        return load_report(tmp_path / "numbers.yaml")

    return made


def file_of(ledger: Ledger, report: Report) -> str:
    target = io.BytesIO()
    write_checked(ledger, Layout.of(report), DAY, target)
    return target.getvalue().decode()


def test_every_report_of_the_installation_runs_on_an_empty_ledger(ledger: Ledger) -> None:
    reports = load_reports(PROJECT / "include")
    assert "performance_by_day" in reports
    for report in reports.values():
        assert len(file_of(ledger, report).splitlines()) == 1
        assert all(column.description for column in report.columns)


def test_a_report_of_ones_own_takes_files_and_no_python(ledger: Ledger, make: MakeReport) -> None:
    assert file_of(ledger, make()) == "Name,Amount\r\na,1.50\r\n"


def test_an_unknown_report_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'performance_by_day'"):
        load_reports(PROJECT / "include")["performance_day"]


@pytest.mark.parametrize(
    ("change", "line", "field", "said"),
    [
        (("title:", "titel:"), 1, "titel", "Did you mean 'title'?"),
        (("date_basis: event", "date_basis: evnt"), 3, "date_basis", "Did you mean 'event'?"),
        (("{name: Amount, type: decimal}", "{name: Amount, type: decimals}"), 6, "columns.1.type", "'decimal'"),
        (
            ("{name: Amount, type: decimal}", "{nmae: Amount, type: decimal}"),
            6,
            "columns.1.nmae",
            "Did you mean 'name'?",
        ),
        (("per: Name", "prr: Name"), 8, "check.prr", "Did you mean 'per'?"),
        (("totals: [Amount]", "totals: [Amout]"), None, None, "'Amout' is not a column"),
        (("totals: [Amount]", "totals: [Name]"), None, None, "'Name' is not a column of type integer or decimal"),
        (("per: Name", "per: Amount"), None, None, "'Amount' is not a column of type text"),
        (("name: Amount", "name: Name"), None, None, "a name of its own"),
        (("check:", "check: ["), 9, None, "not readable YAML"),
    ],
)
def test_a_mistake_in_a_definition_is_shown_where_it_stands(
    make: MakeReport, change: tuple[str, str], line: int | None, field: str | None, said: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make(definition=DEFINITION.replace(*change))
    place = "numbers.yaml" + (f":{line}: " if line else ": ") + (f"{field}: " if field else "")
    assert place in str(refused.value)
    assert said.lower() in str(refused.value).lower()


@pytest.mark.parametrize(
    ("query", "line", "said"),
    [
        (QUERY.replace("%(date_to)s", "%(date_too)s"), 1, "Did you mean 'date_to'?"),
        (QUERY + "\nand 'x' like 'x%'", 2, "write %%"),
        (QUERY + "\nand %s", 2, "write %%"),
        (QUERY + "\nand %(program)d", 2, "write %%"),
        ('select \'a\' as "Name", 1 as "Amount"', None, "%(date_from)s"),
    ],
)
def test_a_mistake_in_the_sql_is_found_when_it_is_read(
    make: MakeReport, query: str, line: int | None, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"numbers\.sql") as refused:
        make(query=query)
    assert said in str(refused.value)
    assert refused.value.line == line


def test_shared_sql_is_put_in_and_its_mistakes_are_told_where_they_stand(
    ledger: Ledger, make: MakeReport, tmp_path: Path
) -> None:
    fragments = tmp_path / "fragments"
    fragments.mkdir()
    (fragments / "amount.sql").write_text("-- What it costs.\n1.50\n")
    (fragments / "columns.sql").write_text("'a' as \"Name\",\n-- include amount\n")
    query = f'select\n  -- include columns\n as "Amount" where {RANGE}'
    assert file_of(ledger, make(query=query)) == "Name,Amount\r\na,1.50\r\n"

    (fragments / "amount.sql").write_text("-- What it costs.\n1.50 + no_such_column\n")
    with pytest.raises(ConfigurationError, match=r"fragments/amount\.sql:2: .*no_such_column"):
        file_of(ledger, make(query=query))
    (fragments / "amount.sql").write_text("1.50\n + %(date_too)s\n")
    with pytest.raises(ConfigurationError, match=r"fragments/amount\.sql:2: .*date_to'"):
        make(query=query)
    with pytest.raises(ConfigurationError, match=r"numbers\.sql:2: .*Did you mean 'columns'"):
        make(query=query.replace("columns", "colums"))
    (fragments / "amount.sql").write_text("-- include columns\n")
    with pytest.raises(ConfigurationError, match=r"fragments/amount\.sql:1: .*includes itself"):
        make(query=query)


def test_a_report_needs_its_check(make: MakeReport, tmp_path: Path) -> None:
    make()
    (tmp_path / "numbers.check.sql").unlink()
    with pytest.raises(ConfigurationError, match=r"numbers\.check\.sql"):
        load_report(tmp_path / "numbers.yaml")


@pytest.mark.parametrize(
    ("query", "line", "said"),
    [
        (f'select \'a\' as "Name",\n  no_such_column as "Amount" where {RANGE}', 2, "no_such_column"),
        (f'select \'a\' as "Name",\n 1 as "Amount"\nfrom nowhere where {RANGE}', 3, "nowhere"),
        (f'select \'a\' as "Name", 1 as "Amount"\nwhere {RANGE}\n  annd true', 3, "syntax error"),
        (f'select \'a\' as "Name", 1/0 as "Amount" where {RANGE}', None, "division by zero"),
        (QUERY + "; drop table action", None, "refuses this SQL"),
        (QUERY.replace('"Amount"', '"amount"'), None, "Name, amount; the definition says Name, Amount"),
        (QUERY.replace("1.50", "1.50::float8"), None, "cast it to numeric"),
        (QUERY.replace("1.50", "'NaN'::numeric"), None, "cast it to numeric"),
        (QUERY.replace("'a'", "1"), None, "cast it to text"),
    ],
)
def test_a_mistake_in_the_sql_is_found_when_it_runs(
    ledger: Ledger, make: MakeReport, query: str, line: int | None, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"numbers\.sql") as refused:
        file_of(ledger, make(query=query))
    assert said in str(refused.value)
    assert refused.value.line == line


def test_a_check_without_its_columns_is_refused(ledger: Ledger, make: MakeReport) -> None:
    with pytest.raises(ConfigurationError, match="no column Amount, rows"):
        file_of(ledger, make(check=f"select 'a' as \"Name\" where {RANGE}"))


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (CHECK.replace("1 as rows", "2 as rows"), "rows a: 1 in the file, 2 in the ledger"),
        (CHECK.replace("1.50", "1.5000001"), "Amount a: 1.50 in the file, 1.5000001 in the ledger"),
        (CHECK.replace("'a'", "'b'"), "rows b: 0 in the file, 1 in the ledger"),
        (CHECK + " and false", "rows a: 1 in the file, 0 in the ledger"),
    ],
)
def test_a_file_that_does_not_add_up_is_refused(ledger: Ledger, make: MakeReport, check: str, said: str) -> None:
    with pytest.raises(TotalsMismatch, match="does not add up") as refused:
        file_of(ledger, make(check=check))
    assert said in str(refused.value)


def test_each_type_has_one_spelling(ledger: Ledger, make: MakeReport) -> None:
    types = ("text", "integer", "decimal", "date", "datetime", "boolean")
    columns = "\n".join(f"  - {{name: {kind}, type: {kind}}}" for kind in types)
    values = (
        "'x' as text, 12::numeric as integer, 0.10 as decimal, date '2026-06-10' as date, "
        "timestamptz '2026-06-10 14:00:00.5+02' as datetime, true as boolean"
    )
    report = make(
        definition=f"title: t\ndate_basis: event\ncolumns:\n{columns}\n",
        query=f"select {values} where {RANGE} union all select null, null, null, null, null, null where {RANGE}",
        check=f"select 2 as rows where {RANGE}",
    )
    _, line, empty = file_of(ledger, report).splitlines()
    assert line == "x,12,0.10,2026-06-10,2026-06-10T12:00:00.500000Z,true"
    assert empty == ",,,,,"


def test_totals_are_exact_beyond_what_floats_and_short_decimals_hold(ledger: Ledger, make: MakeReport) -> None:
    numbers = ["0.1", "99999999999999999999999999999999.9", "-0.05"]
    rows = ", ".join(f"({number})" for number in numbers)
    make_query = f'select \'a\' as "Name", n as "Amount" from (values {rows}) as t (n) where {RANGE}'
    total = "99999999999999999999999999999999.95"
    check = f'select \'a\' as "Name", 3 as rows, {total} as "Amount" where {RANGE}'
    assert file_of(ledger, make(query=make_query, check=check)).count("\r\n") == 4


def test_the_guide_lists_every_column_and_its_example_runs(ledger: Ledger, tmp_path: Path) -> None:
    guide = (PROJECT / "docs" / "reports.md").read_text()
    report = load_reports(PROJECT / "include")["performance_by_day"]
    for column in report.columns:
        assert f"| {column.name} | {column.type} | {' '.join(column.description.split())} |" in guide
    definition, query, check = re.findall(r"```(?:yaml|sql)\n(.*?)```", guide, re.DOTALL)[:3]
    for end, text in ((".yaml", definition), (".sql", query), (".check.sql", check)):
        (tmp_path / f"sales_by_event_type{end}").write_text(text)
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    shops = [Shop(1, "a", "A", "UTC"), Shop(2, "b", "B", "Asia/Tokyo")]
    book(
        ledger, [Sale(shop, noon, Decimal("1.50"), state=state) for shop in shops for state in ("PENDING", "REVERSED")]
    )
    lines = file_of(ledger, load_report(tmp_path / "sales_by_event_type.yaml")).splitlines()
    assert lines[1:] == ["1,Sale,EUR,1,1.50", "2,Sale,EUR,1,1.50"]
