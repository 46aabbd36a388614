"""Lists: filters, sorting and paging in the address, and texts of partners that stay texts."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from data_connections.endpoints.arrival import IN_WORDS, Reason
from data_connections.ledger import Ledger, standstill
from data_connections.steps.standstill import plan_window
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed

pytestmark = pytest.mark.airflow
EVIL = '<script>alert(1)</script>"onload=x'


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
    specs = [changed(INBOUND, name=f"acme-{number:02}", display_name=f"Acme {number:02}") for number in range(12)]
    apply_to(ledger, *specs, OUTBOUND)
    with ledger.connect() as connection:
        connection.execute(
            """insert into connection_run (connection_id, revision, dag_run_id, state, reason, finished_at)
               select id, 1, 'manual__1', 'failed', 'the server went away', now() from connection
               where name = 'acme-03'"""
        )
        connection.execute(
            """insert into submission (connection_id, revision, number, origin, file_name, received_at, state,
                                       data_type, code, message, rejected, rows, finished_at)
               select id, 1, n, 'endpoint', case n when 1 then %(evil)s else 'orders_' || n || '.csv' end,
                      '2026-03-01'::date + n, case n when 1 then 'quarantined' else 'partly_applied' end,
                      'conversions', case n when 1 then 'UNCLOSED_QUOTE' end, case n when 1 then %(evil)s end,
                      case n when 2 then 5 else 0 end, case n when 2 then 5 else 0 end, now()
               from connection, generate_series(1, 120) n where name = 'acme-03'""",
            {"evil": EVIL},
        )
    return ledger


@pytest.fixture
def dags(airflow_database):
    """Gives connections a DAG: whether it is paused, and in how many hours it is to run; it is gone afterwards."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    made: set[str] = set()

    def make(states: dict[str, tuple[bool, int]]) -> None:
        made.update(states)
        with create_session() as session:
            session.merge(DagBundleModel(name="lists"))
            session.flush()
            for name, (paused, hours) in states.items():
                at = datetime.now(UTC) + timedelta(hours=hours)
                kept = {"bundle_name": "lists", "is_stale": False, "is_paused": paused}
                session.merge(DagModel(dag_id=name, next_dagrun_create_after=at, **kept))

    yield make
    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id.in_(made)).values(is_stale=True))


def names(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/connections-app/connections/([\w-]+)"', text)


def test_connections_are_filtered_sorted_and_paged_by_the_address(client, acme):
    viewer = client("viewer")
    assert names(viewer.get("?size=5&page=2").text) == [f"acme-{number:02}" for number in range(5, 10)]
    assert names(viewer.get("?direction=outbound").text) == ["acme-performance"]
    assert names(viewer.get("?status=failed").text) == ["acme-03"]
    assert names(viewer.get("?search=E 07").text) == ["acme-07"]
    assert names(viewer.get("?sort=name&descending=true&size=1").text) == ["acme-performance"]
    assert names(viewer.get("?sort=last_active&size=1").text) == ["acme-03"]
    assert "the server went away" in viewer.get("?status=failed").text
    assert viewer.get("?sort=secret").status_code == 422


def test_connections_are_found_by_their_owner_by_when_they_were_active_and_by_their_next_run(client, acme, dags):
    viewer = client("viewer")
    with acme.connect() as connection:
        connection.execute("update connection_run set finished_at = '2026-03-05 23:59+00'")
    assert names(viewer.get("?active_since=2026-03-05&active_until=2026-03-05").text) == ["acme-03"]
    assert names(viewer.get("?active_since=2026-03-06").text) == []
    assert names(viewer.get("?owner=tests").text) == ["acme-performance"]
    assert len(names(viewer.get("?owner=data-team").text)) == 12
    dags({"acme-05": (False, 3), "acme-07": (False, 1), "acme-09": (True, 2)})
    inbound = "?direction=inbound&"
    assert names(viewer.get(f"{inbound}next_run=scheduled").text) == ["acme-05", "acme-07"]
    assert names(viewer.get(f"{inbound}next_run=paused").text) == ["acme-09"]
    assert len(names(viewer.get(f"{inbound}next_run=none").text)) == 9
    assert names(viewer.get(f"{inbound}sort=next_run&size=3").text) == ["acme-07", "acme-05", "acme-00"]


def test_a_connection_in_maintenance_says_so_in_the_list_and_on_its_pages(client, acme):
    now = datetime.now(UTC)
    for host, begins, ends in (("127.0.0.1", -2, 2), ("127.0.0.1", 3, 4), ("other.example", -2, 5)):
        hours = (now + timedelta(hours=begins), now + timedelta(hours=ends))
        plan_window(acme, "tester", *hours, f"{host} gets <b>disks", name=None, host=host)
    viewer = client("viewer")
    until = f"{now + timedelta(hours=2):%Y-%m-%d %H:%M}"
    assert viewer.get("?size=5").text.count(f">{until}</time>") == 5
    for tab in ("", "/history", "/settings"):
        page = viewer.get(f"connections/acme-03{tab}").text
        assert f">{until}</time> UTC, planned by tester: <q>127.0.0.1 gets &lt;b&gt;disks</q>" in page


def test_a_halt_is_on_every_page(client, acme):
    with acme.connect() as connection:
        standstill.halt(connection, "boss", "Wrong <b>prices.")
    viewer = client("viewer")
    for path in ("", "connections/acme-03", "connections/acme-03/files", "submissions", "deliveries", "destinations"):
        assert "by boss: <q>Wrong &lt;b&gt;prices.</q>" in viewer.get(path).text, path


def test_next_times_are_those_of_the_connections_zone(client, acme):
    page = client("viewer").get("connections/acme-03/settings").text
    assert len(re.findall(r"06:30 CES?T</time>", page)) == 5
    assert "At 06:30 (Europe/Berlin)" in client("viewer").get("connections/acme-03").text


def test_empty_fields_of_a_filter_form_are_left_out(client, acme):
    viewer = client("viewer")
    assert len(names(viewer.get("?search=&program=&data_type=&direction=&status=&owner=").text)) == 13
    for path in (
        "submissions?search=&since=&before=",
        "deliveries?search=&report=",
        "activity?who=&until=",
        "actions?partner=",
    ):
        assert viewer.get(path).status_code == 200, path


def test_submissions_page_by_their_last_line_and_say_what_fits(client, acme):
    viewer = client("viewer")
    first = viewer.get("submissions?size=100")
    assert first.text.count('<th scope="row"') == 100
    older = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert viewer.get(f"submissions{older}").text.count('<th scope="row"') == 20
    assert viewer.get("submissions?errors=true").text.count('<th scope="row"') == 2
    assert viewer.get("submissions?search=ORDERS_1").text.count('<th scope="row"') == 31
    assert viewer.get("submissions?since=2026-03-05&until=2026-03-06").text.count('<th scope="row"') == 2
    assert viewer.get("submissions?search=%00").status_code == 422


def test_a_destination_is_deleted_with_its_load_orders_and_taken_back(client, acme):
    admin = client("admin")
    assert "Delete acme-performance?" in admin.get("destinations").text
    assert "Delete acme-performance?" not in client("viewer").get("destinations").text
    refused = admin.post("destinations/acme-sftp/127.0.0.1/delete")
    assert refused.status_code == 409
    assert "files manage them" in refused.text
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'screen'")
    answer = admin.post("destinations/acme-sftp/127.0.0.1/delete")
    assert answer.status_code == 303, answer.text
    gone = answer.headers["location"]
    page = admin.get(gone.removeprefix("/connections-app/")).text
    assert "Nothing is sent there any more" in page
    assert 'name="names" value="acme-performance"' in page
    assert names(admin.get("?direction=outbound").text) == []
    assert admin.post("destinations/restore", data={"names": "acme-performance"}).status_code == 303
    assert names(admin.get("?direction=outbound").text) == ["acme-performance"]


def test_did_you_get_my_file(client, acme):
    with acme.connect() as connection:
        connection.execute(
            """insert into sighting (connection_id, path, name, size, mtime, decision, reason)
               select id, '/in/late.csv.part', 'late.csv.part', 5, now(), 'ignored', 'a temporary name'
               from connection where name = 'acme-05'"""
        )
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
        connection.execute(
            """insert into action (program_id, event_type_id, order_id, event_at, received_at, amount, currency,
                                   submission_id, line)
               select 1, 11, 'Order-77', now(), now(), 5, 'EUR', id, 2 from submission
               where file_name = 'orders_9.csv'"""
        )
    viewer = client("viewer")
    found = viewer.get("submissions?search=late").text
    assert "a temporary name" in found
    assert "Seen, not taken" in found
    assert "late.csv.part" in viewer.get("submissions?state=not_taken").text
    assert "late.csv.part" not in viewer.get("submissions").text
    by_order = viewer.get("submissions?search=Order-77").text
    assert by_order.count('<th scope="row"') == 1
    assert "orders_9.csv" in by_order
    assert "late.csv" not in client("zenith-only").get("submissions?state=not_taken").text
    listed = viewer.get("api/v1/submissions/not-taken?search=late", headers={"accept": "application/json"}).json()
    assert [each["reason"] for each in listed["items"]] == ["a temporary name"]


def test_whatever_the_reason_a_file_that_was_left_stands_in_the_list_with_no_records(client, acme):
    with acme.connect() as connection:
        connection.execute(
            """insert into sighting (connection_id, path, name, size, mtime, decision, reason)
               select c.id, reason || '.csv', reason || '.csv', 5, now(), 'ignored', reason
               from connection c, unnest(%s::text[]) reason where c.name = 'acme-05'""",
            [list(IN_WORDS)],
        )
    assert set(Reason) <= set(IN_WORDS)
    viewer = client("viewer")
    page = html.unescape(viewer.get("submissions?state=not_taken&size=100").text)
    listed = viewer.get("api/v1/submissions/not-taken?size=100", headers={"accept": "application/json"}).json()["items"]
    told = {each["reason"]: (each["message"], each["rows"]) for each in listed}
    for reason, words in IN_WORDS.items():
        row = page.split(f"{reason}.csv", 1)[1].split("</tr>")[0]
        assert words in row
        assert row.endswith('data-label="Records" class="right">0</td>')
        assert told[reason] == (words, 0)


def test_a_file_is_found_by_its_sender_by_part_of_its_hash_and_by_its_trace_id(client, acme):
    with acme.connect() as connection:
        mailed = """insert into sighting (connection_id, path, name, size, mtime, sender, decision, reason)
                    select id, 'INBOX/' || %(name)s, %(name)s, 5, now(), %(sender)s, %(decision)s, %(reason)s
                    from connection where name = 'acme-05' returning id"""
        taken = {"name": "mailed.csv", "sender": "sales_team@brand.example", "decision": "claimed", "reason": None}
        [sighting] = connection.execute(mailed, taken).fetchall()
        refused = {"name": "spam.csv", "sender": "who@other.example", "decision": "ignored", "reason": "sender_refused"}
        connection.execute(mailed, refused)
        row = connection.execute(
            """update submission set sighting_id = %s, sha256 = repeat('0123abcd', 8) where file_name = 'orders_9.csv'
               returning id, trace_id""",
            [sighting["id"]],
        ).fetchone()
    viewer = client("viewer")

    def found(search):
        json = {"accept": "application/json"}
        listed = viewer.get(f"api/v1/submissions?search={search}", headers=json).json()
        page = viewer.get(f"submissions?search={search}").text
        assert all(each["file_name"] in page for each in listed["items"])
        return [each["id"] for each in listed["items"]]

    for search in ("sales_team@brand.example", "Sales_Team@", "@brand.example", "0123ABCD01", row["trace_id"]):
        assert found(search) == [row["id"]], search
    for search in ("salesXteam@brand.example", "@brand", "0123abce", "0123abc"):
        assert found(search) == [], search
    assert "spam.csv" in viewer.get("submissions?search=who@other.example").text
    left = viewer.get("api/v1/submissions/not-taken?search=who@other", headers={"accept": "application/json"}).json()
    assert [each["reason"] for each in left["items"]] == ["sender_refused"]


def test_a_partners_text_stays_a_text(client, acme):
    viewer = client("viewer")
    number = acme.one("select id from submission where state = 'quarantined'")["id"]
    for path in ("submissions?errors=true", f"submissions/{number}", "connections/acme-03/files"):
        answer = viewer.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert 'csv"onload' not in answer.text


def test_what_does_not_exist_is_404_and_says_so(client, acme):
    viewer = client("viewer")
    for path in ("connections/nope", "submissions/999999", "deliveries/999999", "nowhere", "static/nope"):
        answer = viewer.get(path)
        assert answer.status_code == 404, path
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("loaded_again", "page"),
    [
        ("submissions/1/withdrawal-preview", "submissions/1"),
        ("connections/acme-03/test", "connections/acme-03"),
        ("connections/acme-03/access/rotate", "connections/acme-03/access"),
        ("bulk/run", ""),
    ],
)
def test_what_a_form_led_to_leads_back_when_it_is_loaded_again(client, acme, loaded_again, page):
    answer = client("viewer").get(loaded_again)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/connections-app/{page}")
    program = client("viewer").get(loaded_again, headers={"accept": "application/json"})
    assert program.status_code == 405


def test_history_pages_through_all_runs_and_a_runs_files_are_found(client, acme):
    with acme.connect() as connection:
        connection.execute(
            """insert into connection_run (connection_id, revision, dag_run_id, state, files, finished_at)
               select id, 1, 'scheduled__' || n, 'completed', 1, now() from connection, generate_series(1, 70) n
               where name = 'acme-07'"""
        )
        run = connection.execute(
            "select min(id) as id from connection_run where dag_run_id = 'scheduled__1'"
        ).fetchone()
        connection.execute("update submission set run_id = %s where file_name = 'orders_9.csv'", [run["id"]])
    viewer = client("viewer")
    first = viewer.get("connections/acme-07/history").text
    assert first.count('<th scope="row"') == 50
    older = re.search(r'href="(\?before=\d+)"', first)[1]
    rest = viewer.get(f"connections/acme-07/history{older}").text
    assert rest.count('<th scope="row"') == 20
    assert "scheduled__1<" in rest
    assert f"run={run['id']}" in rest
    number = acme.one("select id from submission where file_name = 'orders_9.csv'")["id"]
    assert f'href="/connections-app/submissions/{number}/checks"' in rest
    assert viewer.get(f"submissions?run={run['id']}").text.count('<th scope="row"') == 1


def test_checks_of_a_file_are_shown(client, acme):
    with acme.connect() as connection:
        connection.execute(
            """update submission set expectations = '[
               {"expectation": "expect_column_values_to_be_between", "code": "BIG",
               "kwargs": {"column": "Amount", "max_value": 5}, "success": false, "rows": 7, "unexpected_rows": 2}]'
               where file_name = 'orders_9.csv'"""
        )
    number = acme.one("select id from submission where file_name = 'orders_9.csv'")["id"]
    page = client("viewer").get(f"submissions/{number}/checks").text
    assert "Not as expected" in page
    assert "Amount" in page
    assert client("zenith-only").get(f"submissions/{number}/checks").status_code == 404
    assert client("viewer").get(f"api/v1/submissions/{number}/checks").json()["expectations"][0]["unexpected_rows"] == 2
