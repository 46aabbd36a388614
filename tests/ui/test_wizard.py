"""The wizard: each step, what it refuses, and that nothing that was written is lost."""

from __future__ import annotations

import re

import pytest

from data_connections.catalog import current, revisions
from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to
from fixtures.wizard_walk import sent_on, walk
from ui.airflow_logins import stored_login

pytestmark = pytest.mark.airflow

ANSWERS: dict[str, dict[str, str]] = {
    "direction": {"name": "acme-orders", "display_name": "Orders", "program": "acme", "direction": "inbound"},
    "type": {"data_type": "conversions"},
    "method": {
        "method": "sftp",
        "methodology": "pull",
        "schedule": "30 6 * * *",
        "time_zone": "Europe/Berlin",
        "details.host": "sftp.acme.example",
        "details.folder": "/out",
        "details.file_pattern": "orders_*.csv",
    },
    "credentials": {"new_name": "acme-new", "new_login": "us", "new_kind": "password", "new_password": "geheim-8"},
    "review": {"more": "limits: {max_rejects: 7}"},
}


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
    apply_to(ledger, INBOUND, OUTBOUND)
    return ledger


def test_a_connection_is_made_step_by_step_and_back_loses_nothing(client, acme):
    admin = client("admin")
    page = admin.get("create")
    for step in ("direction", "type", "method", "credentials"):
        assert f'value="{step}"' in page.text
        page = walk(admin, page.text, **ANSWERS[step])
        assert page.status_code == 200, page.text
    assert "geheim-8" not in page.text
    assert "At 06:30" in page.text
    back = page
    for _ in range(4):
        back = walk(admin, back.text, go="back")
    assert 'value="acme-orders"' in back.text
    for _ in range(4):
        back = walk(admin, back.text)
    assert back.text == page.text

    saved = walk(admin, back.text, go="save", **ANSWERS["review"])
    assert saved.headers["location"].endswith("/connections/acme-orders?done=created"), saved.text
    stored = current(acme, "acme-orders")
    assert (stored.managed_by, stored.created_by) == ("screen", "admin")
    assert stored.spec.credentials == "acme-new"
    assert stored.spec.limits.max_rejects == 7
    assert stored.spec.details.file_pattern == "orders_*.csv"


def test_a_wrong_field_comes_back_filled_in_with_the_message_beside_it(client, acme):
    admin = client("admin")
    page = walk(admin, admin.get("create").text, **{**ANSWERS["direction"], "name": "Not a slug"})
    assert page.status_code == 422
    assert 'value="Not a slug"' in page.text
    page = walk(admin, admin.get("create").text, **{**ANSWERS["direction"], "name": "acme-conversions"})
    assert "already" in page.text
    page = admin.post("create", data={**sent_on(admin.get("create").text), "go": "check", "name": "Not a slug"})
    assert "name" in page.json()["wrong"]


def test_an_edit_shows_what_changes_and_makes_a_revision(client, acme):
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'screen'")
    admin = client("admin")
    page = admin.get("connections/acme-conversions/edit")
    for _ in range(2):
        page = walk(admin, page.text)
    page = walk(admin, page.text, schedule="15 7 * * *")
    page = walk(admin, page.text)
    assert "30 6 * * *" in page.text
    assert "15 7 * * *" in page.text
    assert walk(admin, page.text, go="save").headers["location"].endswith("done=changed")
    assert current(acme, "acme-conversions").spec.schedule == "15 7 * * *"
    late = walk(admin, page.text, go="save")
    assert late.status_code == 409
    assert "meanwhile" in late.text

    connection_id = current(acme, "acme-conversions").connection_id
    assert admin.post("connections/acme-conversions/revisions/1/restore").status_code == 303
    assert [each.number for each in revisions(acme, connection_id)] == [3, 2, 1]
    assert current(acme, "acme-conversions").spec.schedule == "30 6 * * *"


def test_what_files_manage_is_shown_with_the_yaml_to_commit(client, acme):
    admin = client("admin")
    page = admin.get("connections/acme-conversions/edit")
    for _ in range(4):
        page = walk(admin, page.text)
    assert "managed by files:tests" in page.text
    assert "name: acme-conversions" in page.text
    assert 'value="save"' not in page.text
    refused = walk(admin, page.text, go="save", more="description: other")
    assert refused.status_code == 422
    assert len(revisions(acme, current(acme, "acme-conversions").connection_id)) == 1


def test_the_limit_of_a_program_disables_creating(client, acme, monkeypatch):
    monkeypatch.setenv("CONNECTIONS_LIMIT", "2")
    listed = client("admin").get("?program=acme").text
    assert "You&#39;ve reached your limit of 2 connections" in listed
    assert re.search(r"<button[^>]* disabled[^>]*>Create Connection", listed)


def test_a_program_at_its_limit_is_said_beside_it_and_nothing_is_lost(client, acme, monkeypatch):
    monkeypatch.setenv("CONNECTIONS_LIMIT", "2")
    admin = client("admin")
    listed = admin.get("").text
    assert re.search(r"<button[^>]* disabled[^>]*>Create Connection", listed), "no program has room"
    assert re.search(r"<button[^>]* disabled[^>]*>Add destination", admin.get("destinations").text)
    page = walk(admin, admin.get("create").text, **ANSWERS["direction"])
    assert page.status_code == 422
    assert "You&#39;ve reached your limit of 2 connections. Ask whoever" in page.text
    assert 'value="acme-orders"' in page.text
    with acme.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (2, 'zenith', 'Zenith', 'EUR')")
    assert 'href="/connections-app/create">' in admin.get("").text
    assert admin.get("connections/acme-conversions/edit").status_code == 200


def test_what_works_and_may_still_surprise_is_said_on_the_review(client, acme):
    admin, page = client("admin"), client("admin").get("create")
    for step in ("direction", "type"):
        page = walk(admin, page.text, **ANSWERS[step])
    page = walk(admin, page.text, **{**ANSWERS["method"], "schedule": "30 2 * * *"})
    page = walk(admin, page.text, credentials="acme-sftp")
    warnings = re.findall(r'<div class="note warning" role="status">(.*?)</div>', page.text)
    assert ["skip 02:30" in warnings[0], "show 02:30 twice" in warnings[1]] == [True, True]
    assert all(each.startswith("On 20") for each in warnings), "without the name of the connection that is made"
    assert walk(admin, page.text, go="save").status_code == 303


def test_chosen_credentials_are_changed_on_the_way(client, acme):
    admin = client("admin")
    login = {"name": "acme-kept", "server": "sftp", "login": "us", "password": "old"}
    assert admin.post("credentials/store", data=login).status_code == 303
    page = admin.get("create")
    for step in ("direction", "type", "method"):
        page = walk(admin, page.text, **ANSWERS[step])
    lost = walk(admin, page.text, edit_login="them")
    assert lost.status_code == 422
    assert 'name="edit_login" type="text" value="them"' in lost.text
    assert "to be changed" in lost.text
    page = walk(admin, page.text, credentials="acme-kept", edit_password="geheim-9")
    assert page.status_code == 200, re.findall(r'class="wrong"[^>]*>[^<]+<', page.text)
    assert "geheim-9" not in page.text
    kept = stored_login("acme-kept")
    assert (kept.login, kept.password) == ("us", "geheim-9")
    back = walk(admin, page.text, go="back")
    assert re.search(r'name="new_kind" value="password" checked', back.text)
    page = walk(admin, back.text, edit_kind="new_key")
    assert "ssh-ed25519 " in page.text
    assert stored_login("acme-kept").private_key
    assert client("viewer").post("create", data=sent_on(page.text)).status_code == 403


def test_a_connection_that_we_host_leads_to_its_logins(client, acme):
    admin, page = client("admin"), client("admin").get("create")
    for step in ("direction", "type"):
        page = walk(admin, page.text, **ANSWERS[step])
    page = walk(admin, page.text, methodology="push", **{"details.file_pattern": "*.csv"})
    page = walk(admin, page.text)
    saved = walk(admin, page.text, go="save")
    assert saved.headers["location"].endswith("/connections/acme-orders/access?done=created"), saved.text
    assert "Create login" in admin.get("connections/acme-orders/access").text


def test_credentials_go_to_no_other_server_without_the_right_to_them(client, acme):
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'screen'")
    insider = client("acme-only")
    page = insider.get("connections/acme-conversions/edit")
    for _ in range(2):
        page = walk(insider, page.text)
    page = walk(insider, page.text, **{"details.host": "evil.example"})
    page = walk(insider, page.text)
    assert walk(insider, page.text, go="save").status_code == 403
    assert current(acme, "acme-conversions").number == 1
