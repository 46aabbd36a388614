"""What of a listing is taken, and why the rest is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data_connections.endpoints.arrival import ArrivalRules, Reason, look
from data_connections.endpoints.contract import RemoteFile

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULES = ArrivalRules.of("*.csv", ["*_draft.csv"])


def remote(name: str, size: int = 10, age: int = 0) -> RemoteFile:
    return RemoteFile(f"/in/{name}", name, size, NOON - timedelta(seconds=age))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.csv", None),
        ("empty name with blanks .csv", None),
        ("new\nline.csv", None),
        ("..csv", Reason.TEMPORARY),
        (".a.csv", Reason.TEMPORARY),
        ("~$a.csv", Reason.TEMPORARY),
        ("a.csv~", Reason.TEMPORARY),
        ("a.csv.part", Reason.TEMPORARY),
        ("a.csv.TMP", Reason.TEMPORARY),
        ("a.csv.filepart", Reason.TEMPORARY),
        ("a.csv.crdownload", Reason.TEMPORARY),
        ("a.csv.uploading", Reason.TEMPORARY),
        (".a.csv.0123.part", Reason.TEMPORARY),
        (".a.csv.12.claimed", Reason.CLAIMED),
        ("receipt_a.csv", Reason.RESERVED),
        ("RESULT_a.csv", Reason.RESERVED),
        ("my_receipt_a.csv", None),
        ("a_draft.csv", Reason.EXCLUDED),
        ("a.CSV", Reason.PATTERN),
        ("a.txt", Reason.PATTERN),
        ("a.xml.gz", Reason.PATTERN),
        ("a.zip", Reason.PATTERN),
        ("a.xlsx", Reason.EXTENSION),
        ("orders", Reason.EXTENSION),
        ("a\u201b2Fb.csv", Reason.UNSAFE_NAME),
        ("..", Reason.UNSAFE_NAME),
        ("", Reason.UNSAFE_NAME),
    ],
)
def test_names_that_are_taken_and_not(name: str, reason: Reason | None) -> None:
    assert RULES.objection(name) == reason


def test_reasons_are_words_that_can_be_stored() -> None:
    assert [str(reason) for reason in Reason] == [
        "unsafe_name",
        "claimed",
        "temporary",
        "reserved",
        "excluded",
        "pattern",
        "extension",
        "first_look",
        "changing",
        "marker",
        "manifest",
        "not_vouched",
        "not_whole",
        "no_file",
        "unreadable_mail",
        "large_mail",
        "damaged",
        "sender_unproven",
        "sender_refused",
    ]


def test_a_file_is_taken_when_two_looks_agree() -> None:
    first = [remote("a.csv")]
    assert [each.reason for each in look(first, [], RULES).not_taken] == [Reason.FIRST_LOOK]
    assert look(first, first, RULES).taken == (remote("a.csv"),)


@pytest.mark.parametrize("before", [remote("a.csv", size=9), remote("a.csv", age=1)])
def test_a_file_that_changes_between_two_looks_waits(before: RemoteFile) -> None:
    arrivals = look([remote("a.csv")], [before], RULES)
    assert arrivals.taken == ()
    assert arrivals.waiting == (remote("a.csv"),)
    assert arrivals.not_taken[0].reason == Reason.CHANGING


def test_an_empty_file_is_a_file() -> None:
    empty = [remote("a.csv", size=0)]
    assert look(empty, empty, RULES).taken == tuple(empty)


def test_the_same_name_in_another_folder_is_another_file() -> None:
    elsewhere = RemoteFile("/other/a.csv", "a.csv", 10, NOON)
    assert look([remote("a.csv")], [elsewhere], RULES).waiting == (remote("a.csv"),)


def test_every_listed_file_is_either_taken_or_not_with_a_reason() -> None:
    listing = [remote(name) for name in ("a.csv", "b.txt", "receipt_c.csv", "d.csv.part", "e_draft.csv")]
    arrivals = look(listing, listing, RULES)
    assert {file.name for file in arrivals.taken} | {each.file.name for each in arrivals.not_taken} == {
        file.name for file in listing
    }
    assert {each.file.name: each.reason for each in arrivals.not_taken} == {
        "b.txt": Reason.PATTERN,
        "receipt_c.csv": Reason.RESERVED,
        "d.csv.part": Reason.TEMPORARY,
        "e_draft.csv": Reason.EXCLUDED,
    }


def test_claims_go_by_time_and_then_by_name() -> None:
    listing = [remote("c.csv"), remote("b.csv"), remote("z.csv", age=60)]
    assert [file.name for file in look(listing, listing, RULES).taken] == ["z.csv", "b.csv", "c.csv"]


def test_claims_go_by_the_date_in_the_name_where_one_is_declared() -> None:
    rules = ArrivalRules.of("actions_{date:%Y_%m_%d}*.csv")
    late = remote("actions_2026_11_20.csv")
    listing = [remote("actions_2026_11_22.csv", age=90), late, remote("actions_2026_11_21_b.csv", age=5)]
    assert [file.name for file in look(listing, listing, rules).taken] == [
        "actions_2026_11_20.csv",
        "actions_2026_11_21_b.csv",
        "actions_2026_11_22.csv",
    ]


def test_a_remote_file_survives_json() -> None:
    file = remote("a.csv")
    assert RemoteFile.from_json(file.as_json()) == file


def test_a_remote_file_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        RemoteFile("/a", "a", 1, datetime(2026, 1, 1))
