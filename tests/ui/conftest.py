"""The screen as Airflow's API server has it, with users of each role."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Page

from data_connections.landing import Landing
from data_connections.ledger import Ledger
from fixtures.browser import NewPage
from fixtures.screen_sample import fill
from fixtures.servers import free_port

Client = Callable[[str], TestClient]
ROLES = ("viewer", "user", "op", "admin")
PROGRAMS = {"acme-only": ("acme-",), "zenith-only": ("zenith-",)}
"""Roles that see the connections of one program alone, by how their names begin."""


@pytest.fixture(scope="session")
def airflow_auth(airflow_database: None) -> Iterator[FastAPI]:
    """The app under its prefix, with Airflow's own auth manager, which knows roles of single programs here too."""
    from airflow.api_fastapi import app as airflow_app
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    class ByProgram(SimpleAuthManager):
        """The simple auth manager; roles of a program have rights on its DAGs alone, as `access_control` gives."""

        def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
            if user.role not in PROGRAMS:
                return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)
            return details is not None and (details.id or "").startswith(PROGRAMS[user.role])

        def filter_authorized_dag_ids(self, *, dag_ids, user, method="GET", team_name=None):
            if user.role not in PROGRAMS:
                return super().filter_authorized_dag_ids(dag_ids=dag_ids, user=user, method=method)
            return {name for name in dag_ids if name.startswith(PROGRAMS[user.role])}

        def is_authorized_connection(self, *, method, user, details=None):
            return user.role not in PROGRAMS and super().is_authorized_connection(
                method=method, user=user, details=details
            )

    from ui.app import make_app

    before = airflow_app._AuthManagerState.instance
    manager = ByProgram()
    manager.init()
    airflow_app._AuthManagerState.instance = manager
    outer = FastAPI()
    outer.mount("/connections-app", make_app())
    outer.mount("/auth", manager.get_fastapi_app())
    yield outer
    airflow_app._AuthManagerState.instance = before


@pytest.fixture
def client(airflow_auth: FastAPI, airflow_ledger: None) -> Client:
    """Returns a client that is logged in with the role, or with none for ``nobody``; forms come from our own pages."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    def make(role: str) -> TestClient:
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        made = TestClient(airflow_auth, headers=headers, raise_server_exceptions=False, follow_redirects=False)
        if role != "nobody":
            user = SimpleAuthManagerUser(username=role, role=role if role in PROGRAMS else role.upper())
            made.cookies.set("_token", get_auth_manager().generate_jwt(user))
        made.base_url = made.base_url.join("/connections-app/")
        return made

    return make


@pytest.fixture
def sample(ledger: Ledger, airflow_ledger: None, tmp_path: Path) -> dict[str, str]:
    """Full books; what stands for each parameter of an address."""
    return fill(ledger, Landing(tmp_path / "landing"), tmp_path)


@pytest.fixture
def served(airflow_auth: FastAPI, airflow_ledger: None) -> Iterator[str]:
    """The app at an address that a browser can open."""
    import uvicorn

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(airflow_auth, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/connections-app/"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page_of(client: Client, served: str, new_page: NewPage) -> Callable[[str], Page]:
    """Returns a browser's page that is logged in with the role."""

    def make(role: str) -> Page:
        page = new_page(base_url=served)
        token = client(role).cookies.get("_token")
        page.context.add_cookies([{"name": "_token", "value": token, "url": served}])
        return page

    return make
