"""Airflow's REST API, with the login of this installation."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.settings import Settings
from local_stack.keys import ADMINISTRATOR

USER = "CONNECTIONS_AIRFLOW_USER"
PASSWORD = "CONNECTIONS_AIRFLOW_PASSWORD"  # noqa: S105 - the variable's name, not its value

_PAGE = 100


class AirflowUnavailable(ConnectionsError):
    """Airflow's API server does not answer."""


class AirflowRefused(ConnectionsError):
    """Airflow answered with an error; ``status`` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class AirflowApi:
    """Airflow's API server; logs in once, at the first request.

    Args:
        settings: The installation. The login is in ``CONNECTIONS_AIRFLOW_USER`` and ``CONNECTIONS_AIRFLOW_PASSWORD``
            (or in the file that ``CONNECTIONS_AIRFLOW_PASSWORD_FILE`` names), else the local stack's, which is told to
            that stack alone.
        account: Whose login of the local stack.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, settings: Settings, *, timeout: float = 30.0, account: str = ADMINISTRATOR) -> None:
        from local_stack import Stack

        self._account = account

        self._stack = Stack(settings)
        self.url = settings.airflow_url.rstrip("/")
        self._timeout = timeout
        self._token: str | None = None

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON answer to a GET of ``/api/v2`` + ``path``."""
        return self._ask("GET", path, params=parameters)

    def every(self, path: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return what stands under ``key`` on every page of a list of Airflow's."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, limit=_PAGE, offset=len(found), **parameters)
            found += answer[key]
            if len(found) >= answer["total_entries"] or not answer[key]:
                return found

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON answer to a POST to ``/api/v2`` + ``path``."""
        return self._ask("POST", path, json=dict(content))

    def patch(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON answer to a PATCH of ``/api/v2`` + ``path``."""
        return self._ask("PATCH", path, json=dict(content))

    def run_url(self, dag_id: str, run_id: str) -> str:
        """Return the address of a run on Airflow's screen."""
        return f"{self.url}/dags/{quote(dag_id)}/runs/{quote(run_id)}"

    def _ask(self, verb: str, path: str, **more: Any) -> Any:
        if self._token is not None:
            try:
                return self._send_as(self._token, verb, path, **more)
            except AirflowRefused as refused:
                if refused.status != HTTPStatus.UNAUTHORIZED:
                    raise
        # The first question, or the login has run out in a process that lives long.
        self._token = self._login()
        return self._send_as(self._token, verb, path, **more)

    def _send_as(self, token: str, verb: str, path: str, **more: Any) -> Any:
        return self._send(verb, f"/api/v2{path}", headers={"Authorization": f"Bearer {token}"}, **more)

    def _login(self) -> str:
        name, password = os.environ.get(USER), _password()
        if not (name and password):
            if not self._stack.is_at(self.url):
                # Whatever answers there, it is not the stack that the login belongs to.
                raise ConfigurationError(
                    f"There is no login for Airflow at {self.url}: set {USER} and {PASSWORD}, or start the local "
                    "stack with `make up`."
                )
            name, password = self._stack.login_of(self._account)
        answer = self._send("POST", "/auth/token", json={"username": name, "password": password})
        return str(answer["access_token"])

    def _send(self, verb: str, path: str, **more: Any) -> Any:
        import httpx

        try:
            answer = httpx.request(verb, self.url + path, timeout=self._timeout, trust_env=False, **more)
        except httpx.HTTPError as lost:
            raise AirflowUnavailable(
                f"Airflow does not answer at {self.url} ({str(lost) or type(lost).__name__}). Start it with "
                "`make up`, or say where it is with CONNECTIONS_AIRFLOW_URL."
            ) from lost
        if answer.is_success:
            return answer.json() if answer.content else None
        raise AirflowRefused(f"Airflow at {self.url}: {_reason(answer.text)}.", answer.status_code)


def _password() -> str | None:
    """Return the password of the environment, or what stands in the file that it names.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    file = os.environ.get(f"{PASSWORD}_FILE")
    if os.environ.get(PASSWORD) or not file:
        return os.environ.get(PASSWORD)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as unreadable:
        raise ConfigurationError(f"{PASSWORD}_FILE cannot be read: {unreadable.strerror}.", path=file) from unreadable


def _reason(text: str) -> str:
    """Return what Airflow's error answer says, without its JSON."""
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        return text.strip()[:200] or "an error without a reason"
    return str(detail.get("reason", detail) if isinstance(detail, dict) else detail).rstrip(".")
