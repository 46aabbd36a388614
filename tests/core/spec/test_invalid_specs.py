from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from data_connections.errors import ConfigurationError
from data_connections.spec import load_folder

INVALID = Path(__file__).with_name("invalid")


class Expected(NamedTuple):
    """A mistake: where it stands, words of its message, and the suggestion."""

    file: str
    line: int | None
    field: str | None
    words: str
    suggestion: str | None = None


def one(line: int | None, field: str | None, words: str, suggestion: str | None = None) -> list[Expected]:
    return [Expected("", line, field, words, suggestion)]


CASES: dict[str, list[Expected]] = {
    "a-list": one(1, None, "must hold one connection"),
    "only-a-word": one(1, None, "must hold one connection"),
    "not-yaml": one(11, None, "not readable YAML"),
    "tab-indented": one(10, None, "'\\t' that cannot start"),
    "field-twice": one(12, None, 'duplicate key "schedule"'),
    "not-utf-8": one(None, None, "not UTF-8"),
    "unknown-field": one(7, "shedule", "no field 'shedule'", "schedule"),
    "unknown-field-in-details": one(10, "details.fodler", "no field 'fodler'", "folder"),
    "unknown-field-in-format": one(8, "format.delimeter", "no field 'delimeter'", "delimiter"),
    "required-field-left-out": one(None, "credentials", "required"),
    "required-detail-left-out": one(8, "details.folder", "required"),
    "unknown-direction": one(4, "direction", "'inbuond'", "inbound + sftp"),
    "unknown-method": one(5, "method", "'stfp'", "inbound + sftp"),
    "no-method": one(None, "method", "inbound + sftp, inbound + sftp + push"),
    "inbound-fields-in-outbound": [
        Expected("", 8, "details.file_name", "required"),
        Expected("", 11, "details.file_pattern", "the fields are: existing, file_name"),
    ],
    "cron-of-four-fields": one(7, "schedule", "a cron line of five fields nor one of: hourly"),
    "cron-that-never-fires": one(7, "schedule", "not a cron line that ever fires"),
    "cron-out-of-range": one(7, "schedule", "out of range"),
    "misspelt-preset": one(7, "schedule", "'dayly'", "daily"),
    "unknown-time-zone": one(7, "time_zone", "'Europe/Berln' is not a time zone", "Europe/Berlin"),
    "password-in-details": one(11, "details.password", "Secrets never stand in YAML"),
    "password-at-the-top": one(7, "sftp_password", "connections credentials set"),
    "login-in-the-host": one(9, "details.host", "no login before it"),
    "host-with-scheme": one(9, "details.host", "no scheme, no port, no path"),
    "host-key-of-two-lines": one(11, "details.host_key.0", "one line as in known_hosts"),
    "variable-not-set": one(9, "details.host", "NOT_SET_ANYWHERE is not set"),
    "port-of-letters": one(11, "details.port", "a whole number (found 'ssh')"),
    "port-too-high": one(11, "details.port", "less than 65536 (found 70000)"),
    "text-for-yes-or-no": one(7, "paused", "true or false (found 'sometimes')"),
    "text-for-a-list": one(8, "contacts.ours", "a list (found 'ops@example.com')"),
    "word-for-details": one(8, "details", "one level further in"),
    "name-with-a-space": one(1, "name", "only a-z, 0-9", "acme-orders"),
    "unknown-choice": one(11, "details.after_read", "not one of: keep, delete, move", "move"),
    "pattern-with-a-folder": one(11, "details.file_pattern", "the folder is its own field"),
    "misspelt-placeholder": one(10, "details.file_name", "no placeholder {busines_date}", "{business_date}"),
    "date-that-is-none": one(7, "active_from", "2026-02-30"),
    "two-mistakes": [
        Expected("", 7, "shedule", "no field", "schedule"),
        Expected("", 8, "paused", "true or false"),
    ],
    "name-twice": [Expected("second.yaml", 1, "name", "'orders' is already used by")],
    "mistake-in-defaults": [Expected("_defaults.yaml", 3, "details.prot", "no field 'prot'", "port")],
    "defaults-not-yaml": [Expected("_defaults.yaml", 2, None, "not readable YAML")],
    "variable-in-defaults-not-set": [Expected("_defaults.yaml", 1, "owner", "NOT_SET_ANYWHERE is not set")],
    "mistakes-in-two-files": [
        Expected("first.yaml", 7, "shedule", "no field", "schedule"),
        Expected("second.yaml", 4, "direction", "'in'", "inbound + sftp"),
    ],
}


def found_in(case: str) -> tuple[ConfigurationError, ...]:
    folder = INVALID / case
    return load_folder(folder if folder.is_dir() else folder.with_suffix(".yaml"), {}).mistakes


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_is_told_with_its_place(case: str) -> None:
    mistakes = found_in(case)

    assert len(mistakes) == len(CASES[case])
    for mistake, expected in zip(mistakes, CASES[case], strict=True):
        assert Path(str(mistake.path)).name == (expected.file or f"{case}.yaml")
        assert (mistake.line, mistake.field) == (expected.line, expected.field)
        assert expected.words in mistake.message
        assert mistake.suggestion == expected.suggestion


@pytest.mark.parametrize("case", [name for name in CASES if "password" in name or "login" in name])
def test_no_message_shows_a_secret(case: str) -> None:
    assert all("hunter2" not in str(mistake) for mistake in found_in(case))


def test_every_invalid_file_is_a_case() -> None:
    assert {path.stem for path in INVALID.iterdir()} == set(CASES)


def test_a_mistake_reads_as_one_line() -> None:
    (mistake,) = found_in("unknown-field")

    place = INVALID / "unknown-field.yaml"
    assert str(mistake) == f"{place}:7: shedule: There is no field 'shedule' here. Did you mean 'schedule'?"
