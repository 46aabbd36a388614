"""Who asks, and what Airflow's auth manager lets them do: every right comes from the DAG of the connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException

from data_connections.ledger.database import LedgerConnection
from data_connections.queries.connections import all_names


class Visitor:
    """A user who is logged in to Airflow.

    ===========  ===================================================  =========================
    right        what for                                             asked of the auth manager
    ===========  ===================================================  =========================
    see          pages, lists, downloads, search                      read the DAG
    run          run, submit a file, approve, refuse                  create runs of the DAG
    pause        let the schedule rest                                edit the DAG
    edit         change, delete, restore                              delete the DAG
    create       a new connection, credentials                        create Airflow connections
    ===========  ===================================================  =========================
    """

    def __init__(self, user: BaseUser) -> None:
        self._user = user
        self._auth = get_auth_manager()

    @property
    def name(self) -> str:
        """The user's name, for the activity log."""
        return str(self._user.get_name())

    def seen(self, names: Iterable[str]) -> set[str]:
        """Return those of ``names`` that the user may see."""
        return set(self._auth.filter_authorized_dag_ids(dag_ids=set(names), user=self._user, method="GET"))

    def may_see(self, name: str) -> bool:
        """Whether the user may see this connection and everything of it."""
        return self._may("GET", name)

    def may_run(self, name: str) -> bool:
        """Whether the user may start runs of this connection, and decide about its files."""
        return self._may("POST", name, DagAccessEntity.RUN)

    def may_pause(self, name: str) -> bool:
        """Whether the user may pause and unpause this connection."""
        return self._may("PUT", name)

    def may_edit(self, name: str) -> bool:
        """Whether the user may change and delete this connection."""
        return self._may("DELETE", name)

    @property
    def may_create(self) -> bool:
        """Whether the user may make connections and credentials."""
        return bool(self._auth.is_authorized_connection(method="POST", user=self._user))

    def may_use(self, credentials: str) -> bool:
        """Whether the user may send these credentials to a server: to see them is to be able to give them away."""
        details = ConnectionDetails(conn_id=credentials)
        return bool(self._auth.is_authorized_connection(method="PUT", user=self._user, details=details))

    def visible_ids(self, ledger: LedgerConnection) -> Collection[int] | None:
        """Return the ids of the connections that the user may see; None where that is every one."""
        known = all_names(ledger)
        seen = self.seen(known)
        return None if len(seen) == len(known) and self.may_create else [known[name] for name in seen]

    def must(self, allowed: bool, what: str) -> None:
        """Refuse the request unless it is allowed.

        Raises:
            HTTPException: 403, with what the user may not do.
        """
        if not allowed:
            raise HTTPException(403, f"You may not {what}. Ask an administrator of Airflow for the right.")

    def _may(self, method: str, name: str, entity: DagAccessEntity | None = None) -> bool:
        return bool(
            self._auth.is_authorized_dag(
                method=method, access_entity=entity, details=DagDetails(id=name), user=self._user
            )
        )


def visitor(user: Annotated[BaseUser, Depends(get_user)]) -> Visitor:
    """Return who asks; a request without a login got 401 before."""
    return Visitor(user)


VisitorDep = Annotated[Visitor, Depends(visitor)]
