"""Every route, asked by everybody: what there is to see and to do follows from rights on the connection's DAG alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, changed
from fixtures.screen_routes import address, routes
from fixtures.screen_sample import SECRET

pytestmark = pytest.mark.airflow

ROLES = {
    "viewer": set(),
    "user": {"run", "pause", "edit", "look"},
    "op": {"run", "pause", "edit", "create", "look"},
    "admin": {"run", "pause", "edit", "create", "look"},
    "acme-only": {"run", "pause", "edit", "look"},
}
"""What each role may do with the connections of the sample; ``look`` is what everybody may who sees them."""
FILE = {"files": {"file": ("a.csv", b"CampaignId\n1\n")}}
ONE = {"data": {"name": "acme-conversions"}}
CSV = {"content": b"CampaignId\n1\n", "headers": {"content-type": "text/csv"}}
DAYS = {"json": {"first": "2026-03-01", "last": "2026-03-02"}}
LOGIN = {"data": {"login": "partner"}}
WINDOW = {"reason": "test", "begins_at": "2026-01-01T00:00", "ends_at": "2999-01-01T00:00"}
TIMES = ("begins_at", "ends_at")
SPEC = {"json": changed(INBOUND, name="acme-more")}
DRAFT = {"data": {"spec": json.dumps(SPEC["json"])}, **FILE}
STALE = {"if-match": '"1"'}
CHANGING: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("POST", "/create"): ("create", {"data": {"step": "direction", "go": "stay"}}),
    ("POST", "/bulk/run"): ("run", ONE),
    ("POST", "/bulk/pause"): ("pause", ONE),
    ("POST", "/bulk/unpause"): ("pause", ONE),
    ("POST", "/connections/{name}/test"): ("run", {}),
    ("POST", "/connections/{name}/delete"): ("edit", {}),
    ("POST", "/connections/{name}/restore"): ("edit", {}),
    ("POST", "/connections/{name}/revisions/{number}/restore"): ("edit", {}),
    ("POST", "/connections/{name}/send"): ("run", FILE),
    ("POST", "/submissions/{submission_id}/approve"): ("run", {}),
    ("POST", "/submissions/{submission_id}/refuse"): ("run", {}),
    ("POST", "/submissions/{submission_id}/replay-preview"): ("run", {}),
    ("POST", "/submissions/{submission_id}/replay"): ("run", {}),
    ("POST", "/submissions/{submission_id}/finish"): ("run", {}),
    ("POST", "/submissions/{submission_id}/withdrawal-preview"): ("edit", {}),
    ("POST", "/submissions/{submission_id}/withdraw"): ("edit", {}),
    ("POST", "/deliveries/{delivery_id}/send-again"): ("run", {}),
    ("POST", "/standstill/halt"): ("create", {"data": {"reason": "test"}}),
    ("POST", "/standstill/go-on"): ("create", {}),
    ("POST", "/standstill/windows"): ("pause", {"data": {**WINDOW, "connection": "acme-conversions"}}),
    ("POST", "/standstill/windows/{window_id}/end"): ("pause", {}),
    ("PUT", "/api/v1/halt"): ("create", {"json": {"reason": "test"}}),
    ("DELETE", "/api/v1/halt"): ("create", {}),
    ("POST", "/api/v1/maintenance"): (
        "pause",
        {"json": {"reason": "test", "connection": "acme-conversions", **{key: f"{WINDOW[key]}Z" for key in TIMES}}},
    ),
    ("DELETE", "/api/v1/maintenance/{window_id}"): ("pause", {}),
    ("POST", "/deliveries/{delivery_id}/send"): ("run", {}),
    ("POST", "/deliveries/{delivery_id}/refuse"): ("run", {}),
    ("POST", "/api/v1/deliveries/{delivery_id}/send"): ("run", {}),
    ("POST", "/api/v1/deliveries/{delivery_id}/refuse"): ("run", {}),
    ("POST", "/data-types/{data_type}/check"): ("anybody", FILE),
    ("POST", "/credentials/store"): ("create", {"data": {"name": "acme-sftp", "login": "us", "password": "x"}}),
    ("POST", "/connections/{name}/access"): ("edit", {}),
    ("POST", "/connections/{name}/access/rotate"): ("edit", LOGIN),
    ("POST", "/connections/{name}/access/retire"): ("edit", LOGIN),
    ("POST", "/connections/{name}/access/mail"): ("edit", {"data": {"login": "partner", "to": "a@b.test"}}),
    ("POST", "/connections/{name}/backfill"): ("run", {}),
    ("POST", "/credentials/{name}/servers"): ("create", {}),
    ("POST", "/credentials/{name}/trust"): ("create", {"data": {"public": "x"}}),
    ("POST", "/credentials/{name}/distrust"): ("create", {"data": {"public": "x"}}),
    ("POST", "/credentials/{name}/delete"): ("create", {}),
    ("POST", "/destinations/{credentials}/{host}/delete"): ("edit", {}),
    ("POST", "/destinations/restore"): ("edit", {"data": {"names": "acme-performance"}}),
    ("POST", "/event-types/{event_type_id}/edit"): ("create", {}),
    ("POST", "/event-types/{event_type_id}/returns"): ("create", {"data": {"way": "none"}}),
    ("POST", "/integrations/add/{preset}"): ("create", {}),
    ("POST", "/integrations/{integration_id}/remove"): ("create", {}),
    ("POST", "/api/v1/connections/{name}/logins"): ("edit", {}),
    ("POST", "/api/v1/connections/{name}/logins/{login}/rotate"): ("edit", {}),
    ("POST", "/api/v1/connections/{name}/logins/{login}/mail"): ("edit", {"json": {"to": "a@b.test"}}),
    ("DELETE", "/api/v1/connections/{name}/logins/{login}"): ("edit", {}),
    ("POST", "/api/v1/connections/{name}/report-preview"): ("run", DAYS),
    ("POST", "/api/v1/connections/{name}/backfills/preview"): ("run", DAYS),
    ("POST", "/api/v1/connections/{name}/backfills"): ("run", DAYS),
    ("PUT", "/api/v1/credentials/{name}"): ("create", {"json": {"login": "us", "password": "x"}, "headers": STALE}),
    ("DELETE", "/api/v1/credentials/{name}"): ("create", {}),
    ("POST", "/api/v1/credentials/{name}/trust"): ("create", {"json": {"public": "x"}}),
    ("POST", "/api/v1/credentials/{name}/distrust"): ("create", {"json": {"public": "x"}}),
    ("PUT", "/api/v1/event-types/{event_type_id}"): (
        "create",
        {"json": {"locking": {"after": "event", "days": 1}}, "headers": STALE},
    ),
    ("PUT", "/api/v1/event-types/{event_type_id}/returns"): ("create", {"json": {"way": "none"}, "headers": STALE}),
    ("POST", "/api/v1/presets/{preset}/preview"): ("create", {"json": {"answers": {}}}),
    ("POST", "/api/v1/presets/{preset}/integrations"): ("create", {"json": {"answers": {}}}),
    ("DELETE", "/api/v1/integrations/{integration_id}"): ("create", {}),
    ("POST", "/api/v1/connections"): ("create", SPEC),
    ("POST", "/api/v1/connections/preview"): ("look", SPEC),
    ("POST", "/api/v1/connections/preview/test"): ("create", SPEC),
    ("POST", "/api/v1/connections/preview/check"): ("create", DRAFT),
    ("POST", "/api/v1/data-types/{data_type}/check"): ("anybody", CSV),
    ("DELETE", "/api/v1/destinations/{credentials}/{host}"): ("edit", {}),
    ("POST", "/api/v1/destinations/restore"): ("edit", {"json": {"connections": ["acme-performance"]}}),
    ("POST", "/api/v1/submissions/{submission_id}/finish"): ("run", {}),
    ("PUT", "/api/v1/connections/{name}"): ("edit", {"json": INBOUND, "headers": {"if-match": '"2"'}}),
    ("DELETE", "/api/v1/connections/{name}"): ("edit", {}),
    ("POST", "/api/v1/connections/{name}/restore"): ("edit", {}),
    ("POST", "/api/v1/connections/{name}/pause"): ("pause", {}),
    ("POST", "/api/v1/connections/{name}/unpause"): ("pause", {}),
    ("POST", "/api/v1/connections/{name}/test"): ("run", {}),
    ("POST", "/api/v1/connections/{name}/runs"): ("run", {}),
    ("POST", "/api/v1/connections/{name}/revisions/{number}/restore"): ("edit", {}),
    ("POST", "/api/v1/connections/{name}/submissions"): ("run", CSV),
    ("POST", "/api/v1/connections/{name}/submissions/check"): ("run", CSV),
    ("POST", "/api/v1/submissions/{submission_id}/approve"): ("run", {}),
    ("POST", "/api/v1/submissions/{submission_id}/refuse"): ("run", {}),
    ("POST", "/api/v1/submissions/{submission_id}/replay"): ("run", {}),
    ("POST", "/api/v1/submissions/{submission_id}/withdraw"): ("edit", {}),
    ("POST", "/api/v1/deliveries/{delivery_id}/send-again"): ("run", {}),
}
"""The right that each route asks for which changes something or makes something work, and a request that it takes."""
FORMS: dict[str, str] = {
    "/create": "create",
    "/connections/{name}/edit": "edit",
    "/connections/{name}/delete": "edit",
    "/connections/{name}/send": "run",
    "/credentials/{name}/edit": "create",
    "/api/v1/credentials/{name}/servers": "create",
    "/connections/{name}/preview": "run",
    "/connections/{name}/preview/file": "run",
    "/connections/{name}/backfill": "run",
    "/event-types/{event_type_id}/edit": "create",
    "/event-types/{event_type_id}/returns": "create",
    "/integrations/add/{preset}": "create",
    "/api/v1/connections/{name}/report": "run",
    "/api/v1/submissions/{submission_id}/replay-preview": "run",
    "/api/v1/submissions/{submission_id}/withdrawal-preview": "edit",
}
"""The right that a page asks for beyond that of seeing."""
OF_NO_CONNECTION = re.compile(
    r"/static/|/help/|/data-types|/api/v1/(data-types|codes)|/create|/integrations/(add|icons)|/api/v1/presets|.*openapi.json"
)
"""What has nothing of any connection on it."""
DESTROYS = re.compile("delete|retire|remove", re.IGNORECASE)
LAST = [
    ("DELETE", "/api/v1/destinations/{credentials}/{host}"),
    ("POST", "/api/v1/destinations/restore"),
    ("POST", "/destinations/{credentials}/{host}/delete"),
    ("POST", "/destinations/restore"),
]
"""Deletes all that goes to the destination, each time before it is taken back."""
OF_ONE = re.compile(
    r"{(name|window_id|submission_id|delivery_id|action_id|event_type_id|integration_id|host)}|/by-dag|/statement/rows"
)
EVERYTHING = "select name, deleted_at, managed_by, revision from connection order by id"


def books_of(ledger: Ledger) -> list[Any]:
    """What a request that was refused must not have changed."""
    return [
        ledger.all("select count(*) as n, max(id) as newest from activity"),
        ledger.all("select id, state, code, approved_by from submission order by id"),
        ledger.all("select id, state from delivery order by id"),
        ledger.all("select count(*) as n from connection_revision"),
        ledger.all(EVERYTHING),
    ]


def test_every_route_that_changes_something_names_the_right_that_it_asks_for():
    there = {(method, path) for method, path in routes() if method != "GET"}
    assert there == set(CHANGING), "Say in CHANGING what right a new route asks for."
    assert set(FORMS) <= {path for method, path in routes() if method == "GET"}


def test_nobody_gets_anything(client, sample, ledger):
    nobody = client("nobody")
    before = books_of(ledger)
    for method, path in routes():
        _right, request = CHANGING.get((method, path), ("", {}))
        for accept in ("text/html", "application/json"):
            headers = {**request.get("headers", {}), "accept": accept}
            answer = nobody.request(method, address(path, sample), **{**request, "headers": headers})
            to_login = answer.status_code == 307 and answer.headers["location"].startswith("/auth/login")
            assert to_login or answer.status_code in (401, 403), (method, path, answer.status_code)
            assert "acme" not in answer.text, path
    assert books_of(ledger) == before


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_it_has_the_right_to_and_nothing_else(client, sample, ledger, role):
    asking = client(role)
    before = books_of(ledger)
    refused = {each: right for each, (right, _) in CHANGING.items() if right not in {*ROLES[role], "anybody"}}
    refused |= {("GET", path): right for path, right in FORMS.items() if right not in ROLES[role]}
    for method, path in refused:
        _right, request = CHANGING.get((method, path), ("", {}))
        answer = asking.request(method, address(path, sample), **request)
        assert answer.status_code == 403, (method, path, answer.status_code, answer.text)
    assert books_of(ledger) == before

    # What destroys comes last, so that the others find what they ask about.
    asked = set(routes()) if role in ("viewer", "acme-only") else {*CHANGING, *(("GET", path) for path in FORMS)}
    allowed = sorted(
        asked - set(refused),
        key=lambda each: (LAST.index(each) if each in LAST else -1, bool(DESTROYS.search(" ".join(each))), each),
    )
    for method, path in allowed:
        _right, request = CHANGING.get((method, path), ("", {}))
        answer = asking.request(method, address(path, sample), **request)
        assert answer.status_code not in (401, 403, 404, 405, 428), (role, method, path, answer.text)
        assert answer.status_code < 500, (role, method, path, answer.text)


def test_a_role_of_another_program_sees_and_does_nothing_here(client, sample, ledger):
    stranger = client("zenith-only")
    before = books_of(ledger)
    for method, path in routes():
        right, request = CHANGING.get((method, path), ("", {}))
        answer = stranger.request(method, address(path, sample), **request)
        assert SECRET not in answer.text, path
        if right == "anybody" or OF_NO_CONNECTION.match(path):
            assert answer.status_code in (200, 403), (method, path, answer.status_code)
        elif "/credentials/{name}" in path:
            assert answer.status_code in (403, 404), (method, path, answer.status_code)
        elif OF_ONE.search(path):
            assert answer.status_code == 404, (method, path, answer.status_code, answer.text)
        elif method != "GET":
            assert answer.status_code == 403, (method, path, answer.status_code)
        else:
            assert answer.status_code == 200, (path, answer.status_code)
            assert "acme-" not in answer.text, (path, answer.text)
    assert books_of(ledger) == before


def test_a_role_of_the_program_sees_its_connections_alone(client, sample):
    insider = client("acme-only")
    assert "acme-conversions" in insider.get("").text
    assert insider.get(f"submissions/{sample['submission_id']}").status_code == 200
    assert insider.get("create").status_code == 403


def test_a_viewer_sees_no_buttons(client, sample):
    viewer = client("viewer")
    text = viewer.get("").text + viewer.get(f"submissions/{sample['submission_id']}").text
    for label in ("Delete", "Approve", "Refuse", "Create Connection", "/edit"):
        assert label not in text
    assert "View history" in text


def test_whoever_edits_a_connection_takes_no_login_and_no_program_of_others(client, sample, ledger):
    """A draft is tried out with its login: to point it at a server of one's own would give the login away."""
    editor = client("acme-only")
    page = editor.get("connections/acme-conversions/edit").text
    draft = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    draft |= {"edits": "acme-conversions", "name": "acme-conversions", "step": "review", "revision": "2"}
    draft |= {"program": "acme", "data_type": "conversions", "credentials": "acme-sftp", "details.folder": "/outgoing"}
    draft |= {"details.host": "127.0.0.1", "details.file_pattern": "*.csv"}
    spec = {**INBOUND, "details": {**INBOUND["details"], "host": "evil.example"}}
    elsewhere = [
        ({"details.host": "evil.example"}, spec),
        ({"credentials": "zenith-sftp"}, {**INBOUND, "credentials": "zenith-sftp"}),
        ({"pgp.credentials": "zenith-keys"}, {**INBOUND, "pgp": {"credentials": "zenith-keys"}}),
        ({"program": "zenith"}, {**INBOUND, "program": "zenith"}),
    ]
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (2, 'zenith', 'Zenith', 'EUR')")
    before = books_of(ledger)
    for fields, content in elsewhere:
        for go in ("test", "sample", "save"):
            file = {"sample": ("a.csv", b"CampaignId\n1\n")}
            answer = editor.post("create", data={**draft, **fields, "go": go}, files=file)
            assert answer.status_code == 403, (fields, go, answer.status_code)
        assert editor.post("api/v1/connections/preview/test", json=content).status_code == 403, fields
        checked = editor.post("api/v1/connections/preview/check", **{**DRAFT, "data": {"spec": json.dumps(content)}})
        assert checked.status_code == 403, fields
        stored = editor.put("api/v1/connections/acme-conversions", json=content, headers={"if-match": '"2"'})
        assert stored.status_code == 403, fields
    assert books_of(ledger) == before


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "", "origin": "http://evil.example"},
    {"sec-fetch-site": "", "origin": "null"},
    {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
    {"sec-fetch-site": ""},
]
"""What browsers say of requests that did not begin on one of our pages, and old ones that say nothing."""


def test_requests_of_other_sites_change_nothing(client, sample, ledger):
    admin = client("admin")
    before = books_of(ledger)
    for (method, path), (_right, request) in CHANGING.items():
        for headers in FOREIGN:
            sent = {**request, "headers": {**request.get("headers", {}), **headers}}
            answer = admin.request(method, address(path, sample), **sent)
            assert answer.status_code == 403, (method, path, headers, answer.status_code)
            assert "another site" in answer.text
    assert books_of(ledger) == before


def test_a_program_with_a_token_needs_no_origin(client, sample, ledger):
    token = client("admin").cookies.get("_token")
    answer = client("nobody").post(
        f"submissions/{sample['submission_id']}/refuse",
        headers={"authorization": f"Bearer {token}", "sec-fetch-site": ""},
    )
    assert answer.status_code == 303
    held = ledger.one("select message from submission where id = %s", [int(sample["submission_id"])])
    assert held["message"] == "Refused by admin."


def test_every_answer_forbids_foreign_frames_and_inline_scripts_and_downloads_are_attachments(client, sample):
    admin = client("admin")
    for method, path in routes():
        if method != "GET":
            continue
        answer = admin.get(address(path, sample))
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if kind == "text/html":
            tags = re.findall(r"<[a-z](?:[^>\"]|\"[^\"]*\")*>", answer.text)
            names = {name for tag in tags for name in re.findall(r"\s([\w-]+)(?==|\s|>)", re.sub('"[^"]*"', "", tag))}
            assert not {name for name in names if name == "style" or name.startswith("on")}, path
            assert not re.search(r"<script(?![^>]*\bsrc=)|(href|src)=\"javascript:", answer.text), path
        elif kind not in ("application/json", "application/problem+json", "text/css", "image/png", ""):
            assert re.fullmatch(
                r"attachment; filename=\"[A-Za-z0-9_-][A-Za-z0-9._-]*\"(; filename\*=UTF-8''[A-Za-z0-9%._~-]+)?",
                answer.headers["content-disposition"],
            ), path


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", 'a";\r\nX-Evil: 1\r\n.html', ".htaccess", "\u202egpj.exe", "", "é.csv"]
)
def test_names_of_downloads_are_safe(name):
    import io

    from ui.downloads import attachment

    disposition = attachment(io.BytesIO(b""), name).headers["content-disposition"]
    assert re.fullmatch(
        r"attachment; filename=\"[A-Za-z0-9_-][A-Za-z0-9._-]*\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+", disposition
    ), disposition
    assert "%2F" not in disposition
