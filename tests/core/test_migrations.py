"""A ledger that the next release has migrated still serves the release before: going back is a redeploy."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger, bring_up_to_date
from data_connections.ledger import database as ledger_database
from data_connections.ledger.database import migrate, newest_schema

FIRST_PROMISED = "0015"
"""The migration with which the promise begins."""

COLUMNS = """
select table_name, column_name, data_type,
       is_nullable = 'NO' and column_default is null and is_identity = 'NO' as needed
from information_schema.columns where table_schema = 'public'
"""
RULES = """
select c.conrelid::regclass::text as "table", pg_get_constraintdef(c.oid) as rule,
       (select array_agg(attname::text) from pg_attribute where attrelid = c.conrelid and attnum = any(c.conkey))
from pg_constraint c where c.connamespace = 'public'::regnamespace and c.contype in ('c', 'u', 'p', 'f', 'x')
"""


def versions() -> list[str]:
    files = ledger_database._MIGRATIONS.glob("versions/[0-9]*.py")
    return sorted(path.stem.partition("_")[0] for path in files)


def upgrade(url: str, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ledger_database._MIGRATIONS))
    config.attributes["url"] = url
    command.upgrade(config, version)


def shape(url: str) -> tuple[dict[tuple[str, str], tuple[str, bool]], set[tuple[str, str, frozenset[str]]]]:
    """The columns of every table (type, and whether an insert has to give it), and the rules on their rows."""
    with psycopg.connect(url) as connection:
        columns = {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(COLUMNS)}
        return columns, {(row[0], row[1], frozenset(row[2] or ())) for row in connection.execute(RULES.encode())}


def objections(before: Any, after: Any) -> list[str]:
    """What a release that knows ``before`` would stumble over in ``after``."""
    (old, old_rules), (new, new_rules) = before, after
    tables = {table for table, _ in old}
    gone = [f"{table}.{column} is gone" for table, column in old.keys() - new.keys()]
    # A column that may be left out now is none: the release before goes on giving it.
    other = [
        f"{key} is {new[key]}, was {old[key]}"
        for key in old.keys() & new.keys()
        if old[key][0] != new[key][0] or new[key][1] > old[key][1]
    ]
    asked = [f"{key} is new and has to be given" for key in new.keys() - old.keys() if key[0] in tables and new[key][1]]
    ruled = [f"{rule} is a new rule" for table, rule, on in new_rules - old_rules if _binds(table, rule, on, old)]
    return gone + other + asked + ruled


def _binds(table: str, rule: str, on: frozenset[str], old: Any) -> bool:
    """Whether the release before could break a new rule: not one about new columns, nor a longer list of values."""
    return bool(on) and all((table, column) in old for column in on) and " = ANY (" not in rule


def test_every_migration_leaves_what_the_release_before_uses(empty_database: str) -> None:
    found = versions()
    upgrade(empty_database, found[found.index(FIRST_PROMISED) - 1])
    before = shape(empty_database)
    for version in found[found.index(FIRST_PROMISED) :]:
        upgrade(empty_database, version)
        after = shape(empty_database)
        assert objections(before, after) == [], f"migration {version}"
        before = after


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter table program drop column name", "program.name is gone"),
        ("alter table program rename column name to label", "program.name is gone"),
        ("alter table program alter column name type varchar(9)", "is ('character varying'"),
        ("alter table program add column more text not null", "has to be given"),
        ("alter table program add check (length(name) > 3)", "is a new rule"),
    ],
)
def test_a_change_that_the_release_before_stumbles_over_is_noticed(ledger_url: str, change: str, words: str) -> None:
    before = shape(ledger_url)
    with psycopg.connect(ledger_url) as connection:
        connection.execute(change.encode())
    assert any(words in objection for objection in objections(before, shape(ledger_url)))


def test_a_release_works_on_the_ledger_of_the_next_and_not_of_one_that_no_longer_serves_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_schema(version: str, oldest: str) -> None:
        with ledger.connect() as connection:
            connection.execute("update schema_version set version_num = %s", [version])
            connection.execute("update schema_serves set oldest = %s", [oldest])

    set_schema("9998", newest_schema())
    bring_up_to_date(ledger)
    set_schema("9999", "9998")
    with pytest.raises(ConfigurationError, match="no longer serves"):
        bring_up_to_date(ledger)


def test_migrating_twice_changes_nothing(ledger_url: str) -> None:
    before = shape(ledger_url)
    migrate(ledger_url)
    assert shape(ledger_url) == before
