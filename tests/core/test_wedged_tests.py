"""A test that hangs for good costs its worker and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import signal, threading
import pytest
from fixtures import wedged

wedged.GRACE = 1

def never_comes_back():
    threading.Event().wait()

@pytest.mark.timeout(1)
def test_that_its_time_out_cannot_end():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    never_comes_back()

@pytest.mark.timeout(60)
def test_after_it():
    threading.Thread(target=never_comes_back).start()  # the process cannot end
"""


def test_a_worker_that_hangs_shows_its_stacks_and_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 60\n")
    plugins = [f"-p{name}" for name in ("xdist", "pytest_timeout", "fixtures.wedged", "no:cacheprovider")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--numprocesses=1", "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "1 failed, 1 passed" in ran.stdout
    assert "crashed while running 'test_sample.py::test_that_its_time_out_cannot_end'" in ran.stdout
    assert ran.stderr.count("in never_comes_back") == 2
