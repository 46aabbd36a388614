"""The command line as the demo's user types it, in the environment of the demo's stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from data_connections.errors import ConnectionsError
from local_stack.stack import Stack


class Commands:
    """Runs `connections ...` for one stack.

    Args:
        stack: The running stack.
        variables: Variables that the specs name.

    Attributes:
        environment: The environment of every command.
    """

    def __init__(self, stack: Stack, variables: Mapping[str, str]) -> None:
        self.url = stack.url
        self.environment = {**stack.environment(), **variables}

    def run(self, *arguments: str) -> str:
        """Run one command and return what it prints.

        Raises:
            ConnectionsError: Its exit code is not 0; the message has what it said.
        """
        command = [sys.executable, "-m", "command_line.main", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip()
            raise ConnectionsError(f"`connections {' '.join(arguments)}` ended with {done.returncode}: {said}")
        return done.stdout

    def ask(self, *arguments: str) -> Any:
        """Run one command with ``--json`` and return its answer."""
        return json.loads(self.run(*arguments, "--json"))
