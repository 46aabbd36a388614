"""`make bench [CASE=name]`: measure against peers that run in the same call, and write build/bench.json."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from bench.cases import CASES
from bench.pairing import Result
from data_connections.errors import ConnectionsError
from data_connections.settings import PROJECT

BENCH_FILE = PROJECT / "build" / "bench.json"


def main(names: list[str]) -> int:
    """Run the named cases, or all; returns 1 when a goal is missed or a case not measured, 2 for an unknown name."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"There is no case {', '.join(unknown)}; there are: {', '.join(CASES)}.", file=sys.stderr)
        return 2
    console = Console(highlight=False)
    results = []
    for name in names or CASES:
        console.print(f"[bold]{name}[/bold]")
        try:
            results.append(CASES[name](lambda words: console.print(f"  {words}")))
        except ConnectionsError as missing:
            console.print(f"  not measured: {missing}")
    BENCH_FILE.parent.mkdir(exist_ok=True)
    BENCH_FILE.write_text(json.dumps([result.as_json() for result in results], indent=2) + "\n", encoding="utf-8")
    _show(console, results)
    measured = len(results) == len(names or CASES)
    return 0 if measured and all(result.met for result in results) else 1


def _show(console: Console, results: list[Result]) -> None:
    table = Table("case", "ours", "peer", "peer's name", "ratio", "goal", "met")
    for result in results:
        ours, peer = (f"{value:.3g} {result.unit}" for value in (result.ours, result.peer))
        met = "yes" if result.met else "no"
        table.add_row(result.name, ours, peer, result.peer_name, f"{result.ratio:.2f}", f"{result.goal:.2f}", met)
    console.print(table)
    console.print(f"Written to {BENCH_FILE.relative_to(PROJECT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
