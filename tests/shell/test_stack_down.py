"""`make down`, whatever was killed before: nothing is left. The last of the tests on the whole stack: it ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from fixtures.stack_processes import executor_workers, services, users_of
from local_stack import Stack
from local_stack.ports import is_free

pytestmark = pytest.mark.stack(ends=True)


def test_down_leaves_nothing_even_after_the_supervisor_and_the_scheduler_were_killed(stack: Stack) -> None:
    assert f"{stack.url}\n" in run(stack, "up")
    pids = services(stack)
    os.kill(pids["supervisord"], signal.SIGKILL)
    os.kill(pids["scheduler"], signal.SIGKILL)
    assert executor_workers(stack)
    assert "nothing is left running" in run(stack, "down")
    assert users_of(stack.settings.home) == []
    assert is_free(stack.port)
    assert "Nothing was running" in run(stack, "down")


def run(stack: Stack, command: str) -> str:
    """What `python -m local_stack COMMAND` prints for this stack."""
    environment = {
        **os.environ,
        "CONNECTIONS_HOME": str(stack.settings.home),
        "AIRFLOW_HOME": str(stack.settings.airflow_home),
        "CONNECTIONS_AIRFLOW_URL": stack.settings.airflow_url,
    }
    words = [sys.executable, "-m", "local_stack", command]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
