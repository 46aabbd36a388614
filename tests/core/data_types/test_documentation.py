import re
from pathlib import Path

import yaml

from data_connections.data_types import load_data_types
from data_connections.data_types.applying_codes import APPLYING_CODES
from data_connections.data_types.codes import FILE_CODES, ROW_CODES
from data_connections.data_types.documentation import reference
from data_connections.data_types.reading_codes import BROKEN_ROW_CODES, READING_CODES
from data_connections.settings import PROJECT
from data_connections.validation import messages

CORE = PROJECT / "plugins" / "data_connections"
GUIDE = (PROJECT / "docs" / "data-types.md").read_text()
OF_FILES = FILE_CODES | READING_CODES | BROKEN_ROW_CODES


def test_the_reference_in_the_docs_is_current() -> None:
    data_types = load_data_types([PROJECT / "include" / "schemas"])
    assert (PROJECT / "docs" / "data-type-reference.md").read_text() == reference(data_types), "run `make docs`"


def test_every_code_that_refuses_a_file_is_described() -> None:
    raised = set()
    for path in CORE.rglob("*.py"):
        raised |= set(re.findall(r'FileRefused\(\s*"([A-Z_]+)"', path.read_text()))
    assert raised
    assert raised - set(OF_FILES) == set()


def test_every_code_of_the_ledger_s_rules_is_described() -> None:
    given = set()
    for path in (CORE / "applying").rglob("*.py"):
        given |= set(re.findall(r"'([A-Z]+_[A-Z_]+)'", path.read_text()))
    assert given - set(APPLYING_CODES) - {"OID_DUPLICATE"} == set()


def test_every_code_of_a_cell_has_a_sentence_and_a_description() -> None:
    assert set(messages.SENTENCES) == set(ROW_CODES)


def test_the_example_of_the_guide_is_a_data_type(tmp_path: Path) -> None:
    example = re.search(r"<<'YAML'\n(.*?)YAML\n", GUIDE, re.DOTALL)
    assert example is not None
    folder = tmp_path / "parcels"
    folder.mkdir()
    (folder / "columns.yaml").write_text(example[1])
    assert [column.name for column in load_data_types([tmp_path])["parcels"].columns][-1] == "Note3"


def test_the_excerpts_of_the_guide_are_those_of_conversions() -> None:
    conversions = yaml.safe_load((PROJECT / "include" / "schemas" / "conversions" / "columns.yaml").read_text())
    excerpts = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]
    assert next(each for each in excerpts if "group" in each)["group"] == conversions["group"]
    assert next(each for each in excerpts if "rules" in each)["rules"][0] in conversions["rules"]
