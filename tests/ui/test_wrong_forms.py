"""Every form of every page, sent wrong: it comes back filled in, with a sentence, and never as an error page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.screen_routes import address, routes

pytestmark = pytest.mark.airflow

STRANGE = "<b>!? ' \" 0x</b>"
"""What no field of any form takes, but for those of free text."""
FREE = {"title", "display_name", "description", "owner", "more", "back", "connection", "search", "reason", "why"}
TAKEN = re.compile("/bulk/")
"""Buttons over a list whose boxes say what they are for; without any, they do nothing and say so."""


class Form:
    """A form of a page, as a browser has it.

    Args:
        tag: Its own tag.
        body: What is in it.
    """

    def __init__(self, tag: str, body: str) -> None:
        self.action = html.unescape(re.search(r'action="([^"]*)"', tag)[1]) if "action=" in tag else ""
        self.is_post = 'method="post"' in tag
        self.values: dict[str, str] = {}
        self.written: set[str] = set()
        self.has_file = 'type="file"' in body
        for each in re.findall(r"<input[^>]*>", body):
            self._input(dict(re.findall(r'([\w-]+)="([^"]*)"', each)), each)
        for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', body, re.S):
            self.values[name] = html.unescape(text)
            self.written.add(name)
        for name, text in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.S):
            chosen = re.search(r'value="([^"]*)" selected', text) or re.search(r'value="([^"]*)"', text)
            self.values[name] = html.unescape(chosen[1]) if chosen else ""

    def _input(self, given: dict[str, str], tag: str) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if kind == "file" or not name or (kind in ("radio", "checkbox") and " checked" not in tag):
            return
        if name in self.values and kind != "radio":
            self.written.discard(name)  # of a table: it comes several times
            return
        self.values[name] = html.unescape(given.get("value", ""))
        if kind in ("text", "password") and "readonly" not in tag:
            self.written.add(name)


def forms_of(text: str) -> Iterator[Form]:
    for tag, body in re.findall(r"(<form[^>]*>)(.*?)</form>", text, re.S):
        yield Form(tag, body)


def asking_forms(client: Any, sample: dict[str, str]) -> dict[str, Form]:
    """Every form of every page that asks for something, by where it is sent; those of the wizard apart."""
    found: dict[str, Form] = {}
    for method, path in routes():
        if method != "GET" or "/api/" in path:
            continue
        answer = client.get(address(path, sample))
        if answer.headers.get("content-type", "").startswith("text/html"):
            for form in forms_of(answer.text):
                if form.is_post and (form.written or form.has_file):
                    found.setdefault(form.action, form)
    return found


def test_forms_that_are_wrong_come_back_filled_in_with_a_sentence(client, sample):
    admin = client("admin")
    seen = asking_forms(admin, sample)
    assert len(seen) >= 8, sorted(seen)
    bad = {
        (action, what): found
        for action, form in seen.items()
        for what in ("", STRANGE)
        if (found := sent_wrong(admin, form, what))
    }
    assert bad == {}


def sent_wrong(client: Any, form: Form, what: str) -> str | None:
    """What is bad about the answer to a form all of whose fields say ``what``; None where nothing is."""
    wrong = dict.fromkeys(form.written, what)
    answer = client.post(form.action.removeprefix("/connections-app/"), data={**form.values, **wrong})
    if answer.status_code in (200, 303):
        return None if not what or set(wrong) <= FREE else "It was taken."
    if answer.status_code not in (409, 422):
        return f"{answer.status_code}: {answer.text}"
    back = next((each for each in forms_of(answer.text) if each.action == form.action), None)
    if back is None:
        return f"The form is not there: {answer.text[-300:]}"
    lost = {name for name in wrong if back.values.get(name, "") != what}
    if lost:
        return f"{lost} did not come back."
    return None if re.search(r'role="alert">\s*[^<\s]', answer.text) else "Nobody is told what is wrong."


def test_credentials_come_back_with_the_message_beside_the_field(client, airflow_ledger):
    admin = client("admin")
    cases = [
        ({"name": "Not A Slug", "login": "us", "password": "x"}, "name"),
        ({"name": "new", "login": "us", "password": "x"}, "name"),
        ({"name": "acme-x", "password": "x"}, "login"),
        ({"name": "acme-x", "login": "us"}, "password"),
        ({"name": "acme-x", "server": "smtp", "sender": "us@example.test"}, "host"),
        ({"name": "acme-x", "server": "smtp", "host": "smtp.example.test"}, "sender"),
        ({"name": "acme-x", "server": "smtp", "host": "smtp.example.test", "port": "many"}, "port"),
        ({"name": "acme-x", "server": "pgp", "pgp_keys": "no key"}, "pgp_keys"),
        ({"name": "acme-x", "login": "us", "password": "x", "expires_on": "soon"}, "expires_on"),
    ]
    for given, field in cases:
        answer = admin.post("credentials/store", data=given)
        assert answer.status_code == 422, (given, answer.text)
        assert re.search(rf'data-wrong="{field}" role="alert">[^<]', answer.text), (given, answer.text)
        (form,) = (each for each in forms_of(answer.text) if each.action.endswith("/credentials/store"))
        assert {name: form.values[name] for name in given} == given


def test_a_file_that_nobody_chose_is_asked_for(client, sample):
    admin = client("admin")
    for path in ("connections/acme-conversions/send", "data-types/conversions/check"):
        answer = admin.post(path, data={"again": "true"}, files={"file": ("", b"")})
        assert answer.status_code == 422
        assert "Choose a file first." in answer.text
        assert f'action="/connections-app/{path}"' in answer.text
