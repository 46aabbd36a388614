"""Names of outbound files."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_connections.errors import ConfigurationError
from data_connections.spec import parse_spec
from data_connections.spec.file_name import check_file_name, file_name, versioned

SPEC = {
    "name": "acme-daily",
    "program": "acme",
    "data_type": "performance_by_day",
    "direction": "outbound",
    "method": "sftp",
    "credentials": "acme",
    "details": {"host": "sftp.example.com", "folder": "/out", "file_name": "report.csv"},
}


def named(template: str) -> str:
    day, last = date(2026, 6, 1), date(2026, 6, 7)
    return file_name(
        check_file_name(template),
        business_date=day,
        last_date=last,
        connection="acme-daily",
        program="acme",
        report="by_day",
    )


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("report.csv", "report.csv"),
        ("{business_date}.csv", "2026-06-01.csv"),
        ("perf_{business_date:%Y%m%d}.csv", "perf_20260601.csv"),
        ("{program}_{report}_{business_date:%d.%m.%y}-{last_date:%d.%m.%y}.csv", "acme_by_day_01.06.26-07.06.26.csv"),
        ("{connection} {business_date:%j}.csv", "acme-daily 152.csv"),
        ("{{literal}}_{business_date:%Y}%.csv", "{literal}_2026%.csv"),
        ("{{program}}.csv", "{program}.csv"),
    ],
)
def test_placeholders_are_filled_in(template: str, name: str) -> None:
    assert named(template) == name


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{buisness_date}.csv", "did you mean '{business_date}'?"),
        ("{date}.csv", "there is no placeholder {date}"),
        ("{}.csv", "there is no placeholder {}"),
        ("{0}.csv", "there is no placeholder {0}"),
        ("{connection.__class__}.csv", "there is no placeholder {connection.__class__}"),
        ("{connection[0]}.csv", "there is no placeholder"),
        ("{business_date!r}.csv", "there is no placeholder {business_date!r}"),
        ("{business_date:%Y-%M-%d}.csv", "%M is not a part of a date"),
        ("{business_date:%Y-%m-%}.csv", "is not a part of a date"),
        ("{business_date:yyyy}.csv", "no date format"),
        ("{business_date:%Y{program}}.csv", "no date format"),
        ("{connection:>10}.csv", "takes no format"),
        ("{business_date:%Y/%m/%d}.csv", "holds no /"),
        ("../{connection}.csv", "holds no /"),
        ("a\\b.csv", "holds no /"),
        ("{business_date.csv", "a brace is open"),
        ("business_date}.csv", "a brace is open"),
        (" report.csv", "no space at its ends"),
        ("a\nb.csv", "control characters"),
        ("..", "is not . or .."),
        ("x" * 201, "at most 200 bytes"),
    ],
)
def test_a_template_that_gives_no_good_name_is_refused_when_it_is_read(template: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_spec({**SPEC, "details": {**SPEC["details"], "file_name": template}})
    assert said.lower() in str(refused.value).lower()
    assert "file_name" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("report.csv", "report_v2.csv"),
        ("report.csv.gz", "report_v2.csv.gz"),
        ("report", "report_v2"),
        ("report.2026.06.01.csv", "report.2026.06.01_v2.csv"),
        ("report_2026.06.01", "report_2026.06.01_v2"),
        (".csv", ".csv_v2"),
    ],
)
def test_a_version_stands_before_the_extension(name: str, second: str) -> None:
    assert versioned(name, 1) == name
    assert versioned(name, 2) == second


@given(st.text(alphabet="{}:%!.[]/\\_-abcdefmnoprstuY ydj0", max_size=40))
def test_a_template_is_refused_or_gives_a_name_in_one_folder(template: str) -> None:
    try:
        name = named(template)
    except ValueError:
        return
    assert not set(name) & set("/\\\n\0")
    assert name not in (".", "..")
    assert name == name.strip()
