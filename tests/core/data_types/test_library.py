from pathlib import Path

import pytest

from data_connections.data_types import load_data_type, load_data_types
from data_connections.errors import ConfigurationError, UnknownName
from data_connections.settings import PROJECT

BUILT_IN = PROJECT / "include" / "schemas"

MINIMAL = """
title: Parcels
columns:
  - {name: ParcelId, required: true, max_length: 20}
  - {name: Weight, aliases: [Mass], type: decimal, scale: 2}
  - {name: "Note{1..3}", carried: true}
"""


@pytest.fixture
def parcels(tmp_path: Path) -> Path:
    folder = tmp_path / "types" / "parcels"
    folder.mkdir(parents=True)
    (folder / "columns.yaml").write_text(MINIMAL)
    return folder


def test_a_folder_is_a_data_type_and_needs_no_python(parcels: Path) -> None:
    data_type = load_data_types([BUILT_IN, parcels.parent])["parcels"]
    assert [column.name for column in data_type.columns] == ["ParcelId", "Weight", "Note1", "Note2", "Note3"]


def test_a_folder_that_is_a_data_type_itself_is_taken_too(parcels: Path) -> None:
    assert list(load_data_types([parcels])) == ["parcels"]


def test_a_folder_without_any_data_type_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"No folder in it has a columns\.yaml"):
        load_data_types([tmp_path])


@pytest.mark.parametrize("written", ["Weight", "weight", " WEIGHT ", "Mass", "mass"])
def test_header_names_ignore_case_and_surrounding_space_and_know_aliases(parcels: Path, written: str) -> None:
    found = load_data_type(parcels).find(written)
    assert found is not None
    assert found.name == "Weight"


def test_the_version_follows_the_content_of_the_folder(parcels: Path) -> None:
    before = load_data_type(parcels).version
    assert load_data_type(parcels).version == before
    (parcels / "suite.yaml").write_text("rows: []\n")
    assert load_data_type(parcels).version != before


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("title: [", "columns.yaml:1", "not readable YAML"),
        ("- a list", "columns.yaml", "must hold a mapping"),
        ("title: T\ncolumns: []", "columns", "at least 1 item"),
        ("title: T\ncolumns:\n  - {name: A, typ: text}", "columns.0.typ", "no key 'typ'"),
        ("title: T\ncolumns:\n  - {name: A, type: txt}", "columns.0.type", "Input should be"),
        ("title: T\ncolumns:\n  - {name: A, scale: 2}", "columns.0", "not for text"),
        ("title: T\ncolumns:\n  - {name: A}\n  - {name: B, aliases: [a]}", "columns.yaml", "names both A and B"),
        ("title: T\ncolumns:\n  - {name: A}\nmeasures: {amounts: [B]}", "columns.yaml", "o column is named B"),
    ],
)
def test_a_mistake_in_a_data_type_is_told_with_its_place(parcels: Path, content: str, place: str, words: str) -> None:
    (parcels / "columns.yaml").write_text(content)
    with pytest.raises(ConfigurationError) as mistake:
        load_data_type(parcels)
    assert place in str(mistake.value)
    assert words in str(mistake.value)


def test_a_name_may_not_be_defined_twice(parcels: Path, tmp_path: Path) -> None:
    again = tmp_path / "more" / "parcels"
    again.mkdir(parents=True)
    (again / "columns.yaml").write_text(MINIMAL)
    with pytest.raises(ConfigurationError, match="parcels is defined twice"):
        load_data_types([parcels.parent, again.parent])


def test_a_data_type_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'conversions'"):
        load_data_types([BUILT_IN])["conversion"]


def test_conversions_have_the_published_minimum_header_and_its_aliases() -> None:
    conversions = load_data_types([BUILT_IN])["conversions"]
    minimum = (
        "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,CustomerId,CurrencyCode,Amount,Category,Sku,Quantity"
    )
    assert all(conversions.find(name) for name in minimum.split(","))
    aliases = {"Oid": "OrderId", "EventTypeId": "ActionTrackerId", "EventTrackerID": "ActionTrackerId"}
    aliases |= {"Currency": "CurrencyCode", "Text50": "Text50", "ItemMoney3": "ItemMoney3"}
    assert {name: getattr(conversions.find(name), "name", None) for name in aliases} == aliases
