"""The cases by name."""

from __future__ import annotations

from collections.abc import Callable

from bench.apply_conversions import apply_million_conversions
from bench.apply_modifications import apply_modifications
from bench.intake_conversions import take_million_conversions
from bench.many_files import many_small_files
from bench.pairing import Result, Tell
from bench.screen_pages import screen_pages
from bench.transfers import ftps_gigabyte, sftp_gigabyte
from bench.waiting_connections import waiting_connections

CASES: dict[str, Callable[[Tell], Result]] = {
    "take_million_conversions": take_million_conversions,
    "apply_million_conversions": apply_million_conversions,
    "apply_modifications": apply_modifications,
    "sftp_gigabyte": sftp_gigabyte,
    "ftps_gigabyte": ftps_gigabyte,
    "many_small_files": many_small_files,
    "waiting_connections": waiting_connections,
    "screen_pages": screen_pages,
}
