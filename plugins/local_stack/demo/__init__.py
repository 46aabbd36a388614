"""`make demo`: the main job for real, from the partner's file to the delivered report, every effect checked."""

from __future__ import annotations

from local_stack.demo.main_job import demo_settings, run_demo

__all__ = ["demo_settings", "run_demo"]
