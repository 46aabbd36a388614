"""What the demo prints at its end: what went in, what became of it, what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local_stack.demo.commands import Commands
from local_stack.demo.files import expected_amounts


def tell_story(
    console: Console,
    commands: Commands,
    submission: dict[str, Any],
    returned: Sequence[Path],
    delivery: dict[str, Any],
    report: Path,
) -> None:
    """Print connections, submission, answers and delivery, every one of them read back and checked before."""
    console.print()
    _table(console, "Connections", ("name", "direction", "status", "last_active"), commands.ask("list"))
    console.print(f"\n[bold]Submission {submission['id']}[/bold]: {submission['file_name']}")
    counts = ("rows", "accepted", "rejected", "duplicate", "held")
    console.print("  " + ", ".join(f"{submission[name]} {name}" for name in counts) + f": {submission['state']}")
    money = ", ".join(f"{amount} {currency}" for currency, amount in sorted(expected_amounts().items()))
    console.print(f"  money accepted: {money}")
    console.print("\n[bold]The partner got back[/bold]")
    for path in returned:
        console.print(f"  /results/{path.name}", soft_wrap=True)
        if path is returned[-1]:
            _quote(console, path)
    console.print(f"\n[bold]Delivered[/bold]: {delivery['remote_path']} for {delivery['business_date']}")
    _quote(console, report)
    console.print("\n[bold green]Every effect was checked.[/bold green] Airflow's screen was at " + commands.url)
    console.print("`make up` starts it again, to stay, with connections of your own.")


def _quote(console: Console, path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        console.print(f"    {line}", soft_wrap=True, markup=False, style="dim")


def _table(console: Console, title: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    table = Table(*(column.replace("_", " ") for column in columns), title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*(str(row[column] if row[column] is not None else "") for column in columns))
    console.print(table)
