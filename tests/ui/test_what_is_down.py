"""Something does not answer: the screen still does, and says what is missing and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from data_connections.ledger import Ledger, signs_of_life
from fixtures.screen_routes import address, routes

pytestmark = pytest.mark.airflow

AWAY = "postgresql://nobody@127.0.0.1:1/none"
OF_OURS = (
    "static/",
    "help/",
    "data-types",
    "api/v1/data-types",
    "api/v1/codes",
    "api/v1/openapi.json",
    "health",
    "api/v1/health",
    "integrations/icons/",
    "api/v1/presets",
)
"""What needs no ledger."""


def test_without_the_ledger_every_page_and_call_says_that_it_is_missing(
    client: Callable[[str], TestClient], sample: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTIONS_DATABASE_URL", AWAY)
    admin = client("admin")
    for method, path in routes():
        if method != "GET":
            continue
        asked = address(path, sample)
        answer = admin.get(asked)
        assert "Traceback" not in answer.text
        if asked.startswith(OF_OURS) or path == "/credentials/{name}/edit":
            assert answer.status_code == 200, (path, answer.text)
        else:
            assert answer.status_code == 503, (path, answer.status_code, answer.text)
            assert "ledger does not answer" in answer.text, path
        if asked.startswith("api/") and answer.status_code == 503:
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.text)["status"] == 503
    assert "ledger does not answer" in admin.get("health").text
    assert admin.get("api/v1/health").json()["services"]["ledger"] == "unhealthy"


def test_without_the_scheduler_pages_say_that_nothing_starts(
    client: Callable[[str], TestClient], sample: dict[str, str]
) -> None:
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session

    viewer = client("viewer")
    with create_session() as session:
        session.query(Job).delete()
    for path in ("", "connections/acme-conversions"):
        page = viewer.get(path).text
        assert "scheduler does not run: no run starts" in page
        assert "DAG processor does not run" in page
    assert "Not running" in viewer.get("health").text

    now = datetime.now(UTC)
    runners = {"SchedulerJob": now, "DagProcessorJob": now - timedelta(hours=1), "TriggererJob": now}
    with create_session() as session:
        for kind, beat in runners.items():
            job = Job(state="running", latest_heartbeat=beat)
            job.job_type = kind
            session.add(job)
    page = viewer.get("").text
    assert "scheduler does not run" not in page
    assert "DAG processor does not run" in page
    with create_session() as session:
        session.query(Job).delete()


def test_without_the_gateway_pages_say_that_partners_cannot_come(
    client: Callable[[str], TestClient], sample: dict[str, str], ledger: Ledger
) -> None:
    viewer, missing = client("viewer"), "gateway does not run: partners cannot reach"
    assert missing in viewer.get("").text
    assert viewer.get("api/v1/health").json()["services"]["gateway"] == "not running"
    with ledger.connect() as connection:
        signs_of_life.note(connection, signs_of_life.GATEWAY)
    assert missing not in viewer.get("").text
    assert viewer.get("api/v1/health").json()["services"]["gateway"] == "healthy"
    with ledger.connect() as connection:
        connection.execute("update sign_of_life set seen_at = now() - interval '10 minutes'")
    assert missing in viewer.get("connections/acme-hosted").text
    with ledger.connect() as connection:
        connection.execute("update connection set deleted_at = now() where name = 'acme-hosted'")
    assert missing not in viewer.get("").text
    assert "Not used" in viewer.get("health").text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_error_that_nobody_foresaw_is_one_sentence(
    client: Callable[[str], TestClient], sample: dict[str, str], monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    from ui.pages import submissions

    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret-detail")

    monkeypatch.setattr(submissions, "list_submissions", broken)
    answer = client("admin").get("submissions", headers={"accept": accept})
    assert answer.status_code == 500
    assert "nobody foresaw" in answer.text
    assert "secret-detail" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
