from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from data_connections.errors import ConfigurationError
from data_connections.spec import InboundSftp, OutboundSftp, load_folder, load_spec, parse_spec

ORDERS = """
program: acme
data_type: conversions
direction: inbound
method: sftp
credentials: acme-sftp
details:
  host: ${HOST}
  port: ${PORT}
  folder: /outbox
  file_pattern: "conversions_*.csv"
"""
ENVIRONMENT = {"HOST": "sftp.partner.example", "PORT": "2222"}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_variables_come_from_the_environment_in_the_type_of_their_field(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, orders=ORDERS) / "orders.yaml", ENVIRONMENT).spec

    assert (spec.details.host, spec.details.port) == ("sftp.partner.example", 2222)


def test_a_variable_may_have_a_value_to_fall_back_on(tmp_path: Path) -> None:
    text = ORDERS.replace("${PORT}", "${PORT:-22}").replace("/outbox", "/${FOLDER:-}outbox")
    path = write(tmp_path, orders=text) / "orders.yaml"

    assert load_spec(path, ENVIRONMENT).spec.details.port == 2222
    spec = load_spec(path, {"HOST": "sftp.partner.example"}).spec
    assert (spec.details.port, spec.details.folder) == (22, "/outbox")


def test_a_name_that_is_left_out_is_the_files(tmp_path: Path) -> None:
    assert load_spec(write(tmp_path, orders=ORDERS) / "orders.yaml", ENVIRONMENT).spec.name == "orders"


def test_defaults_fill_what_a_file_leaves_out_also_inside_details(tmp_path: Path) -> None:
    defaults = "time_zone: Europe/Berlin\nowner: everybody\ndetails:\n  after_read: move\n  folder: /elsewhere\n"
    own = ORDERS + "owner: orders-team\n"

    loaded = load_folder(write(tmp_path, _defaults=defaults, orders=own), ENVIRONMENT)

    (spec,) = [each.spec for each in loaded.specs]
    assert isinstance(spec, InboundSftp)
    assert (spec.time_zone, spec.owner) == ("Europe/Berlin", "orders-team")
    assert (spec.details.after_read, spec.details.folder) == ("move", "/outbox")


def test_good_specs_are_read_beside_bad_ones(tmp_path: Path) -> None:
    loaded = load_folder(write(tmp_path, bad="name: 1", orders=ORDERS), ENVIRONMENT)

    assert [each.spec.name for each in loaded.specs] == ["orders"]
    assert loaded.mistakes


def test_dates_times_and_durations_are_read(tmp_path: Path) -> None:
    more = "active_from: 2026-10-01\narrival:\n  until: 15:00\n  wait: PT30M\n  look_every: 10\n"

    spec = load_spec(write(tmp_path, orders=ORDERS + more) / "orders.yaml", ENVIRONMENT).spec

    assert isinstance(spec, InboundSftp)
    assert spec.active_from == date(2026, 10, 1)
    assert (spec.arrival.until, spec.arrival.wait) == (time(15), timedelta(minutes=30))
    assert spec.arrival.look_every == timedelta(seconds=10)


@pytest.mark.parametrize("prepare", ["missing", "empty"])
def test_a_folder_without_connections_is_a_mistake(tmp_path: Path, prepare: str) -> None:
    folder = tmp_path / "connections"
    if prepare == "empty":
        folder.mkdir()

    with pytest.raises(ConfigurationError, match=r"no such file or folder|holds no connection"):
        load_folder(folder, {})


def test_files_that_begin_with_a_dot_or_an_underscore_are_no_connections(tmp_path: Path) -> None:
    write(tmp_path, **{"_notes": "x: 1", ".hidden": "x: 1", "orders": ORDERS})

    assert [each.spec.name for each in load_folder(tmp_path, ENVIRONMENT).specs] == ["orders"]


@pytest.mark.parametrize("kind", [InboundSftp, OutboundSftp])
def test_the_worked_examples_load_and_survive_storage(kind: type) -> None:
    examples = Path(__file__).parents[3] / "include" / "connections"

    loaded = load_folder(examples, {})

    assert loaded.mistakes == ()
    spec = next(each.spec for each in loaded.specs if isinstance(each.spec, kind))
    assert parse_spec(spec.model_dump(mode="json")) == spec


def test_aliases_that_blow_up_without_end_are_refused(tmp_path: Path) -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))
    write(tmp_path, endless=f"a0: &a0 [lol]\n{levels}\n")

    (mistake,) = load_folder(tmp_path, {}).mistakes
    assert "more than 100,000 values" in mistake.message
