"""Every route, asked by everybody: what there is to see and to do follows from rights on the connection's DAG alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to

pytestmark = pytest.mark.airflow
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
OF_NO_CONNECTION = ("/static/", "/help")


@pytest.fixture
def books(ledger: Ledger) -> dict[str, Any]:
    """Two connections of a program, one managed by the screen, with a submission on hold and a delivery."""
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
    apply_to(ledger, INBOUND, OUTBOUND)
    with ledger.connect() as connection:
        connection.execute("update connection set managed_by = 'screen'")
        submission = connection.execute(
            """insert into submission (connection_id, revision, number, origin, file_name, received_at, state,
                                       data_type)
               select id, 1, 1, 'manual', 'acme-secret-file.csv', now(), 'on_hold', 'conversions'
               from connection where name = 'acme-conversions' returning id"""
        ).fetchone()
        delivery = connection.execute(
            """insert into delivery (connection_id, revision, report, business_date, last_date, date_from, version,
                                     state, file_name, size, rows)
               select id, 1, 'performance_by_day', '2026-03-01', '2026-03-01', '2026-03-01', 1, 'delivered',
                      'acme-out.csv', 1, 1
               from connection where name = 'acme-performance' returning id"""
        ).fetchone()
        connection.execute(
            """insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, landing_key)
               values (%s, 1, 'acme-out.csv', 1, 1, 'x', 'originals/xx/x')""",
            [delivery["id"]],
        )
        action = connection.execute(
            """insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency,
                                   submission_id, line)
               values (1, 11, 'acme-secret-order', now(), now(), 5, 'EUR', %s, 2) returning id""",
            [submission["id"]],
        ).fetchone()
    return {
        "name": "acme-conversions",
        "action_id": action["id"],
        "submission_id": submission["id"],
        "delivery_id": delivery["id"],
        "number": 1,
        "what": "original",
        "credentials": "acme-sftp",
        "host": "127.0.0.1",
        "data_type": "conversions",
        "template": "conversions.csv",
        "here": "connections",
    }


def routes() -> Iterator[tuple[str, str]]:
    """Every method and path of the app."""
    from ui.app import make_app

    for route in make_app().routes:
        assert isinstance(route, APIRoute), f"{route} is no guarded route"
        for method in sorted(route.methods):
            yield method, route.path


def address(path: str, books: dict[str, Any]) -> str:
    filled = re.sub(r"{(\w+)}", lambda found: str(books.get(found[1], "screen.css")), path)
    return filled.replace("/static/acme-conversions", "/static/screen.css").lstrip("/")


def test_nobody_gets_anything(client, books):
    nobody = client("nobody")
    for method, path in routes():
        answer = nobody.request(method, address(path, books))
        to_login = answer.status_code == 307 and answer.headers["location"].startswith("/auth/login")
        assert to_login or answer.status_code in (401, 403), (method, path, answer.status_code)
        assert "acme" not in answer.text, path
        assert nobody.request(method, address(path, books), headers={"accept": "application/json"}).status_code in (
            401,
            403,
        ), (method, path)


def test_a_viewer_changes_nothing(client, books, ledger):
    viewer = client("viewer")
    before = ledger.all("select count(*) as n from activity")
    for method, path in routes():
        answer = viewer.request(method, address(path, books), data=form(books))
        if method in CHANGING:
            assert answer.status_code in (403, 422), (method, path, answer.status_code, answer.text)
        elif not path.startswith(OF_NO_CONNECTION):
            assert answer.status_code < 500 or "original" in path or "/file" in path, (path, answer.text)
    assert ledger.all("select count(*) as n from activity") == before


@pytest.mark.parametrize("role", ["zenith-only"])
def test_a_role_of_another_program_sees_and_does_nothing_here(client, books, ledger, role):
    stranger = client(role)
    before = ledger.all("select count(*) as n from activity")
    for method, path in routes():
        answer = stranger.request(method, address(path, books), data=form(books))
        assert "acme-secret" not in answer.text, path
        assert "acme-out" not in answer.text, path
        if re.search(r"{(name|submission_id|delivery_id|action_id|host|credentials)}", path) and not path.startswith(
            "/static"
        ):
            assert answer.status_code in (403, 404, 422), (method, path, answer.status_code, answer.text)
        elif method in CHANGING:
            assert answer.status_code in (303, 403, 404, 422), (method, path, answer.status_code)
        else:
            assert "acme-conversions" not in answer.text, (path, answer.text)
    assert ledger.all("select count(*) as n from activity") == before


def test_a_role_of_the_program_sees_its_connections_alone(client, books):
    insider = client("acme-only")
    assert "acme-conversions" in insider.get("").text
    assert insider.get(f"submissions/{books['submission_id']}").status_code == 200
    assert insider.get("create").status_code in (403, 404)


def test_a_viewer_sees_no_buttons(client, books):
    text = client("viewer").get("").text + client("viewer").get(f"submissions/{books['submission_id']}").text
    for label in ("Delete", "Approve", "Refuse", "Create Connection", "/edit"):
        assert label not in text
    assert "View history" in text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "http://evil.example"},
        {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
        {"sec-fetch-site": ""},
    ],
)
def test_posts_of_other_sites_are_refused(client, books, ledger, headers):
    admin = client("admin")
    answer = admin.post(f"submissions/{books['submission_id']}/refuse", headers=headers)
    assert answer.status_code == 403
    assert ledger.one("select state from submission")["state"] == "on_hold"


def test_a_program_with_a_token_needs_no_origin(client, books, ledger):
    admin = client("admin")
    token = admin.cookies.get("_token")
    answer = client("nobody").post(
        f"submissions/{books['submission_id']}/refuse",
        headers={"authorization": f"Bearer {token}", "sec-fetch-site": ""},
    )
    assert answer.status_code == 303
    assert ledger.one("select code, message from submission")["message"] == "Refused by admin."


def test_every_page_forbids_foreign_frames_and_inline_scripts(client, books):
    admin = client("admin")
    for method, path in routes():
        if method != "GET":
            continue
        answer = admin.get(address(path, books))
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", answer.text), path


def form(books: dict[str, Any]) -> dict[str, Any]:
    return {"name": books["name"], "back": "", "reason": "no"}
