"""What roles may do with a connection's DAG."""

from __future__ import annotations

from data_connections.spec import ConnectionSpec

_ON_DAG = {"view": ("can_read",), "run": ("can_read", "can_edit"), "edit": ("can_read", "can_edit", "can_delete")}
_ON_RUNS = {"view": ("can_read",), "run": ("can_read", "can_create"), "edit": ("can_read", "can_create", "can_delete")}


def access_control(spec: ConnectionSpec) -> dict[str, dict[str, set[str]]] | None:
    """Return Airflow's ``access_control``: view, run and edit as actions on the DAG and on its runs.

    Airflow's FAB auth manager enforces it; SimpleAuthManager, the embedded default, knows only its own four roles.
    """
    if not spec.access_control:
        return None
    return {
        role: {
            "DAGs": {action for right in rights for action in _ON_DAG[right]},
            "DAG Runs": {action for right in rights for action in _ON_RUNS[right]},
        }
        for role, rights in sorted(spec.access_control.items())
    }
