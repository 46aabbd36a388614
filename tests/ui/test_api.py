"""The REST API: what it answers, what it refuses, and calls that are sent twice."""

from __future__ import annotations

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
