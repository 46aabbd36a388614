"""What `connections doctor` looks at, one module for each part of an installation."""

from __future__ import annotations

from command_line.checkup.finding import Finding, State

__all__ = ["Finding", "State"]
