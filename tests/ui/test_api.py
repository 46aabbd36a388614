"""The REST API: what it answers, what it refuses, and calls that are sent twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from data_connections.catalog import current
from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed

pytestmark = pytest.mark.airflow

ROW = {"CampaignId": 1, "ActionTrackerId": 11, "EventDate": "NOW", "ClickId": "c", "Amount": 5, "CurrencyCode": "EUR"}
JSON = {"accept": "application/json"}


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
    apply_to(ledger, INBOUND, OUTBOUND)
    with ledger.connect() as connection:
        connection.execute("update connection set managed_by = 'api'")
    return ledger


@pytest.fixture
def api(client, acme) -> Any:
    made = client("admin")
    made.headers.update(JSON)
    made.base_url = made.base_url.join("/connections-app/api/v1/")
    return made


def test_connections_are_created_once_changed_by_etag_deleted_and_restored(api, acme):
    spec = changed(INBOUND, name="acme-second")
    first = api.post("connections", json=spec, headers={"Idempotency-Key": "k1"})
    assert first.status_code == 201, first.text
    assert api.post("connections", json=spec, headers={"Idempotency-Key": "k1"}).json() == first.json()
    other = api.post("connections", json={**spec, "owner": "x"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422

    found = api.get("connections/acme-second")
    etag, content = found.headers["etag"], found.json()["spec"]
    assert api.put("connections/acme-second", json=content).status_code == 428
    saved = api.put("connections/acme-second", json={**content, "owner": "ops"}, headers={"If-Match": etag})
    assert saved.json()["changes"] == [{"field": "owner", "before": "data-team", "after": "ops"}]
    late = api.put("connections/acme-second", json={**content, "owner": "late"}, headers={"If-Match": etag})
    assert late.status_code == 409
    assert late.headers["content-type"] == "application/problem+json"
    assert late.json()["changes"][0]["field"] == "owner"

    assert api.delete("connections/acme-second").status_code == 204
    assert api.get("connections").json()["total"] == 2
    assert api.post("connections/acme-second/restore").status_code == 204
    assert current(acme, "acme-second").spec.owner == "ops"
    assert [each["number"] for each in api.get("connections/acme-second/revisions").json()] == [2, 1]


def test_a_wrong_spec_names_each_field(api):
    answer = api.post("connections", json={**INBOUND, "name": "acme-bad", "schedule": "sometimes", "colour": "red"})
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"schedule", "colour"}


def test_rows_are_checked_and_sent_as_json_or_csv_once(api, acme):
    rows = {"rows": [{**ROW, "OrderId": "J-1"}, {**ROW, "OrderId": "J-2", "Amount": "much"}]}
    report = api.post("connections/acme-conversions/submissions/check", json=rows).json()
    assert (report["accepted"], report["rejected"]) == (1, 1)
    assert [(each["state"], each["count"]) for each in report["effect"]] == [("PENDING", 1)]
    assert acme.one("select count(*) as n from submission")["n"] == 0
    for _ in range(2):
        taken = api.post("connections/acme-conversions/submissions", json=rows, headers={"Idempotency-Key": "r-1"})
        assert taken.status_code == 202, taken.text
    assert acme.one("select count(*) as n from submission")["n"] == 1
    one = api.get(f"submissions/{taken.json()['submission_id']}").json()
    assert (one["state"], one["accepted"], one["amounts"]) == ("partly_applied", 1, {"EUR": "5.00"})
    assert "J-2" in api.get(f"submissions/{one['id']}/files/rejects").text
    listed = api.get("submissions", params={"errors": True, "size": 1}).json()
    assert [each["id"] for each in listed["items"]] == [one["id"]]
    assert listed["next_before"] is None


def test_lists_page_and_filter_as_the_pages_do(api, acme):
    assert [each["name"] for each in api.get("connections", params={"direction": "outbound"}).json()["items"]] == [
        "acme-performance"
    ]
    newest = api.get("activity", params={"size": 1}).json()
    older = api.get("activity", params={"size": 1, "before": newest["next_before"]}).json()
    assert older["items"][0]["id"] < newest["items"][0]["id"]
    assert api.get("health").json()["services"]["ledger"] == "healthy"
    assert api.get("destinations").json()[0]["loads"] == ["acme-performance"]
    assert api.get("data-types/conversions").json()["columns"][0]["name"] == "CampaignId"
    assert api.get("connections/nope").json()["status"] == 404


def test_a_spec_is_looked_at_tried_and_held_against_a_file_before_it_is_saved(api, acme):
    spec = changed(INBOUND, name="acme-new", schedule="30 6 * * *", time_zone="Europe/Berlin")
    seen = api.post("connections/preview", json=spec).json()
    assert (seen["action"], seen["revision"], seen["schedule"]) == ("create", None, "At 06:30")
    assert len(seen["next_runs"]) == 5
    assert "name: acme-new" in seen["yaml"]
    tried = api.post("connections/preview/test", json={**spec, "credentials": "there-is-none"}).json()
    assert [(step["name"], step["ok"]) for step in tried] == [("credentials", False)]
    sample = {
        "file": (
            "sample.csv",
            b"CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,Amount,CurrencyCode\n1,11,NOW,A-1,c,1,EUR\n",
        )
    }
    report = api.post("connections/preview/check", data={"spec": json.dumps(spec)}, files=sample).json()
    assert report["file_error"] is None, report["file_error"]
    assert (report["accepted"], report["rejected"]) == (1, 0), report["errors"]
    assert api.get("connections").json()["total"] == 2


def save(api, spec):
    path = f"connections/{spec['name']}"
    saved = api.put(path, json=spec, headers={"if-match": api.get(path).headers["etag"]})
    assert saved.status_code == 200, saved.text


def test_what_the_pages_show_of_one_connection_the_api_tells(api, acme):
    with acme.connect() as connection:
        connection.execute(
            """insert into connection_run (connection_id, revision, dag_run_id, state, rows, accepted, finished_at)
               select id, 1, 'manual__seen', 'completed', 3, 3, now()
               from connection where name = 'acme-conversions'"""
        )
    found = api.get("connections/acme-conversions/overview").json()
    assert (found["on_hold"], found["next_expected"], found["runs"][0]["accepted"]) == (0, None, 3)
    runs = api.get("connections/acme-conversions/runs").json()["items"]  # and what Airflow has of other tests' runs
    (run,) = (each for each in runs if each["dag_run_id"] == "manual__seen")
    assert (run["dag_run_id"], run["airflow_state"], run["state"]) == ("manual__seen", None, "completed")
    yaml = api.get("connections/acme-conversions/yaml")
    assert yaml.headers["content-disposition"] == 'attachment; filename="acme-conversions.yaml"'
    assert "name: acme-conversions" in yaml.text
    save(api, changed(INBOUND, owner="ops"))
    newest, first = api.get("connections/acme-conversions/revisions").json()
    assert newest["changes"] == [{"field": "owner", "before": "data-team", "after": "ops"}]
    assert {"field": "owner", "before": None, "after": "data-team"} in first["changes"]
    days = {"first": "2026-03-01", "last": "2026-03-02"}
    assert "attachment" in api.get("connections/acme-performance/report", params=days).headers["content-disposition"]


def test_other_pages_have_their_calls(api, acme):
    save(api, changed(INBOUND, expects=[{"by": "15:00"}]))
    save(api, changed(OUTBOUND, expects=[{"by": "15:00"}]))
    days = {"since": "2099-01-05", "until": "2099-01-06", "size": 1}
    week = api.get("expected", params=days).json()
    assert week["next_page"] == 2
    rest = api.get("expected", params={**days, "page": 2}).json()
    assert ({each["connection"] for each in rest["items"]}, rest["next_page"]) == ({"acme-performance"}, None)
    assert [(each["connection"], each["day"]) for each in week["items"]] == [
        ("acme-conversions", "2099-01-05"),
        ("acme-conversions", "2099-01-06"),
    ]
    assert len(api.get("expected").json()["items"]) >= 1
    assert [each["key"] for each in api.get("programs").json()] == ["acme"]
    assert api.get("programs").json()[0]["connections"] == 2
    assert {"UNCLOSED_QUOTE", "CONV_DUPLICATE"} <= {each["code"] for each in api.get("codes").json()}
    assert "header.csv" in api.get("data-types/conversions").json()["templates"]
    assert api.get("data-types/conversions/templates/header.csv").text.startswith("CampaignId,")
    report = api.post("data-types/conversions/check", content=b"CampaignId\n1\n").json()
    assert report["file_error"]["code"] == "MISSING_COLUMN"
    assert api.get("activity/export").text.startswith("at,who,what")
    (place,) = api.get("destinations").json()
    path = f"destinations/{place['credentials']}/{place['host']}"
    assert api.get(path).json() == place
    deleted = api.delete(path).json()
    assert deleted == {"connections": ["acme-performance"]}
    assert api.get(path).status_code == 404
    assert api.post("destinations/restore", json=deleted).status_code == 204
    assert api.get(path).status_code == 200


@pytest.mark.filterwarnings("ignore")
def test_the_description_fits_and_nothing_it_allows_makes_an_error(api, acme):
    """Schemathesis asks each operation a bounded number of things of its own; none may end in a 5xx."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings

    document = api.get("openapi.json").json()
    assert "/api/v1/connections/{name}" in document["paths"]
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=4,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            sent = case.as_transport_kwargs(base_url="http://testserver/connections-app")
            headers = {key: value for key, value in (sent.pop("headers") or {}).items() if str(value).isascii()}
            cookies = sent.pop("cookies", None)
            assert not cookies
            known = {key: sent[key] for key in ("json", "data", "params") if sent.get(key) is not None}
            answer = api.request(sent["method"], sent["url"], headers={**headers, **JSON}, **known)
            assert answer.status_code < 500, (sent, answer.text)

        ask()
    assert asked > 60
