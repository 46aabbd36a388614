from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_connections.catalog import (
    Intent,
    Known,
    Plan,
    activity,
    all_current,
    apply_specs,
    current,
    plan_specs,
    revision,
    revisions,
)
from data_connections.errors import Mistakes, UnknownName
from data_connections.ledger import Ledger
from data_connections.spec import LoadedSpec

Make = Callable[..., LoadedSpec]
Apply = Callable[..., Plan]


def actions(plan: Plan) -> dict[str, str]:
    return {step.name: step.action for step in plan.steps}


def log(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(each["who"], each["what"], each["subject"]) for each in reversed(activity.recent(ledger))]


def test_a_new_spec_becomes_revision_1(ledger: Ledger, make: Make, apply: Apply) -> None:
    plan = apply(make("orders"))

    stored = current(ledger, "orders")
    assert actions(plan) == {"orders": "create"}
    assert (stored.number, stored.managed_by, stored.created_by) == (1, "files:connections", "ada")
    assert stored.spec == make("orders").spec


def test_applying_the_same_twice_changes_nothing(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"), make("returns"))
    before = all_current(ledger)

    plan = apply(make("orders"), make("returns"), who="bob")

    assert actions(plan) == {"orders": "keep", "returns": "keep"}
    assert all_current(ledger) == before
    assert len(log(ledger)) == 2


def test_a_changed_spec_becomes_a_new_revision_and_the_old_one_stays(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders", schedule="daily"))

    plan = apply(make("orders", schedule="hourly", details={"port": 2222}), who="bob")

    (step,) = plan.steps
    assert [str(change) for change in step.changes] == ['schedule: "daily" -> "hourly"', "details.port: 22 -> 2222"]
    assert (current(ledger, "orders").number, current(ledger, "orders").created_by) == (2, "bob")
    assert revision(ledger, "orders", 1).spec.schedule == "daily"
    assert [each.number for each in revisions(ledger, current(ledger, "orders").connection_id)] == [2, 1]


def test_every_change_is_in_the_activity_log(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"))
    apply(make("orders", owner="ada"), who="bob")
    apply(make("sales", renamed_from="orders", owner="ada"))
    apply(make("returns"), prune=True, who="eve")

    assert log(ledger) == [
        ("ada", "connection.created", "orders"),
        ("bob", "connection.changed", "orders"),
        ("ada", "connection.renamed", "sales"),
        ("eve", "connection.created", "returns"),
        ("eve", "connection.deleted", "sales"),
    ]
    changed = activity.recent(ledger)[-2]
    assert changed["details"]["changes"] == [{"field": "owner", "before": "", "after": "ada"}]


def test_a_dry_run_says_the_same_and_changes_nothing(ledger: Ledger, make: Make, apply: Apply, known: Known) -> None:
    apply(make("orders"))
    specs = [make("orders", owner="ada"), make("returns")]

    planned = plan_specs(ledger, specs, known, Intent("files:connections"))

    assert [each.name for each in all_current(ledger)] == ["orders"]
    assert planned.as_json() == apply(*specs).as_json()


def test_prune_deletes_only_what_the_same_source_made(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"), make("returns"))
    apply(make("of-the-screen"), source="screen")

    plan = apply(make("orders"), prune=True)

    assert actions(plan) == {"orders": "keep", "returns": "delete"}
    assert [each.name for each in all_current(ledger)] == ["of-the-screen", "orders"]


def test_without_prune_nothing_is_deleted(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"), make("returns"))
    apply(make("orders"))

    assert [each.name for each in all_current(ledger)] == ["orders", "returns"]


def test_a_deleted_connection_comes_back_with_its_id_and_revisions(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"), make("returns"))
    before = current(ledger, "returns")
    apply(make("orders"), prune=True)
    with pytest.raises(UnknownName, match="returns"):
        current(ledger, "returns")

    plan = apply(make("orders"), make("returns"))

    assert actions(plan) == {"orders": "keep", "returns": "restore"}
    assert current(ledger, "returns").connection_id == before.connection_id
    assert current(ledger, "returns").number == 1


def test_renamed_from_keeps_id_and_history(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"))
    before = current(ledger, "orders")

    plan = apply(make("sales", renamed_from="orders"), prune=True)

    after = current(ledger, "sales")
    assert [(step.name, step.renamed_from) for step in plan.steps] == [("sales", "orders")]
    assert (after.connection_id, after.number) == (before.connection_id, 2)
    assert actions(apply(make("sales", renamed_from="orders"))) == {"sales": "keep"}
    assert revision(ledger, "sales", 1).spec.name == "sales"


def test_a_run_finds_its_revision_after_a_rename_and_a_deletion(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders", owner="ada"), make("returns"))
    before = current(ledger, "orders")
    apply(make("sales", owner="bob", renamed_from="orders"), make("returns"))

    assert revision(ledger, "orders", 1).connection_id == before.connection_id
    assert (revision(ledger, "orders", 1).name, revision(ledger, "orders", 1).spec.owner) == ("sales", "ada")

    apply(make("orders", owner="eve"), make("returns"), prune=True)
    assert revision(ledger, "orders", 1).spec.owner == "eve"
    assert revision(ledger, "sales", 2).spec.owner == "bob"
    with pytest.raises(UnknownName, match="revision of orders"):
        revision(ledger, "orders", 7)


def test_what_another_source_changed_is_not_overwritten_unasked(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders", owner="ada"), source="screen")

    with pytest.raises(Mistakes, match=r"made by screen and last changed by ada.*--take-over"):
        apply(make("orders", owner="bob"))

    assert current(ledger, "orders").spec.owner == "ada"


def test_take_over_overwrites_and_manages_from_then_on(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders", owner="ada"), source="screen")

    plan = apply(make("orders", owner="bob"), take_over=True)

    assert actions(plan) == {"orders": "take over"}
    assert current(ledger, "orders").managed_by == "files:connections"
    assert actions(apply(make("orders", owner="eve"))) == {"orders": "change"}


def test_one_mistake_keeps_all_specs_out(ledger: Ledger, make: Make, apply: Apply) -> None:
    with pytest.raises(Mistakes) as raised:
        apply(make("good"), make("bad", data_type="conversion"), make("worse", program="amce"))

    assert [mistake.suggestion for mistake in raised.value.mistakes] == ["conversions", "acme"]
    assert "connections reference apply" in str(raised.value)
    assert all_current(ledger) == []


def test_the_names_of_our_own_dags_are_reserved(make: Make, apply: Apply) -> None:
    with pytest.raises(Mistakes, match="connections_maintenance: Names that begin with 'connections_'"):
        apply(make("connections_maintenance"))


def test_an_outbound_connection_names_a_report(make: Make, apply: Apply) -> None:
    outbound = make("daily").spec.model_dump(mode="json", exclude_defaults=True)
    outbound |= {"direction": "outbound", "data_type": "performance_by_dya"}
    outbound["details"] = {"host": "h.example", "folder": "/r", "file_name": "r.csv"}
    from data_connections.spec import parse_spec

    with pytest.raises(Mistakes, match="There is no report 'performance_by_dya'") as raised:
        apply(LoadedSpec(parse_spec(outbound)))

    assert raised.value.mistakes[0].suggestion == "performance_by_day"


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ([("orders", None), ("sales", "orders")], "still the name of another"),
        ([("sales", "orders"), ("shop", "orders")], "Only one connection can be"),
    ],
)
def test_a_rename_that_is_not_clear_is_refused(
    ledger: Ledger, make: Make, apply: Apply, specs: list[tuple[str, str | None]], words: str
) -> None:
    apply(make("orders"))

    with pytest.raises(Mistakes, match=words):
        apply(*(make(name, renamed_from=before) for name, before in specs))

    assert [each.name for each in all_current(ledger)] == ["orders"]


def test_a_rename_to_the_name_of_a_deleted_connection_is_refused(make: Make, apply: Apply) -> None:
    apply(make("orders"), make("sales"))
    apply(make("orders"), prune=True)

    with pytest.raises(Mistakes, match="name of a deleted connection"):
        apply(make("sales", renamed_from="orders"))


def test_a_field_that_specs_gained_since_makes_no_new_revision(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"))
    with ledger.connect() as connection:
        connection.execute("update connection_revision set spec = spec - 'owner', hash = 'of an older version'")

    assert actions(apply(make("orders"))) == {"orders": "keep"}


def test_a_revision_that_is_no_spec_any_more_can_be_replaced(ledger: Ledger, make: Make, apply: Apply) -> None:
    apply(make("orders"))
    with ledger.connect() as connection:
        connection.execute("""update connection_revision set spec = spec || '{"gone": 1}'""")

    assert actions(apply(make("orders"))) == {"orders": "change"}
    assert current(ledger, "orders").spec == make("orders").spec


def test_those_who_apply_at_the_same_time_do_it_one_after_the_other(ledger: Ledger, make: Make, known: Known) -> None:
    def work(number: int) -> Plan:
        spec = make("orders", owner=f"owner-{number}")
        return apply_specs(ledger, [spec], known, Intent("files:connections"), f"person-{number}")

    with ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(work, range(8)))

    stored = current(ledger, "orders")
    assert sorted(step.action for plan in plans for step in plan.steps) == ["change"] * 7 + ["create"]
    assert stored.number == 8
    assert [each.number for each in revisions(ledger, stored.connection_id)] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert len(log(ledger)) == 8
