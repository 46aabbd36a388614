"""Which templates there are; that each is good as it is, is tested with the data types."""

from __future__ import annotations

from typer.testing import CliRunner

from command_line.main import app
from data_connections.settings import PROJECT

TEMPLATES = PROJECT / "include" / "templates"


def test_conversions_have_a_template_for_each_level_and_begin_with_items():
    levels = {path.stem for path in (TEMPLATES / "conversions").iterdir()}
    assert levels >= {"item", "order", "chained", "mobile", "numbered", "item_xml", "order_xml"}

    header = CliRunner().invoke(app, ["template", "conversions"]).stdout

    assert header == (TEMPLATES / "conversions" / "item.csv").read_text(encoding="utf-8").splitlines()[0] + "\n"


def test_every_data_type_has_a_template():
    schemas = {path.name for path in (PROJECT / "include" / "schemas").iterdir() if path.is_dir()}
    assert schemas == {path.name for path in TEMPLATES.iterdir() if path.name != "reports"}


def test_an_xml_template_without_example_is_what_stands_around_the_rows():
    text = CliRunner().invoke(app, ["template", "conversions", "item_xml"]).stdout
    assert text == '<?xml version="1.0" encoding="UTF-8"?>\n<conversions>\n</conversions>\n'
