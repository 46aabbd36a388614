"""`connections apply`: make the catalog hold what a folder of YAML files says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from command_line.data_types import known_data_types, show_steps
from command_line.output import AsJson, note, print_json, warn
from command_line.session import By, acting_user, current_settings, known_names, open_ledger
from data_connections.errors import ConfigurationError, LedgerUnavailable, Mistakes

if TYPE_CHECKING:
    from data_connections.catalog import Intent, Plan, Step
    from data_connections.catalog.data_type_versions import DataTypeStep
    from data_connections.ledger import Ledger
    from data_connections.spec import LoadedFolder

_SIGNS = {"create": "+", "restore": "+", "change": "~", "take over": "~", "delete": "-"}
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}
_DNS_TIMEOUT = 3
_PAST = {
    "create": "created",
    "restore": "restored",
    "change": "changed",
    "take over": "taken over",
    "delete": "deleted",
    "keep": "unchanged",
}


def apply(
    folder: Annotated[Path, typer.Option("--file", "-f", metavar="FOLDER", help="Folder of specs, or one file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete connections that came from this source and are not in it now.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Overwrite connections that something else manages.")
    ] = False,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="What manages these connections; left out: the folder's name.")
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Bring the connections to what the YAML files of a folder say: all of them, or none.

    Every mistake in any file is shown with its place, and then nothing is changed. Applying a folder twice changes
    nothing. What another source manages is not overwritten unasked, and --prune deletes only what this source made.
    """
    from data_connections.catalog import Intent
    from data_connections.spec import load_folder

    if prune and folder.is_file():
        raise ConfigurationError("--prune compares a whole folder with the connections; this is one file.", path=folder)
    loaded = load_folder(folder)
    intent = Intent(f"files:{source or _folder_name(folder)}", prune=prune, take_over=take_over)
    answer: dict[str, object] = {"source": intent.source, "dry_run": dry_run, "steps": [], "mistakes": []}
    try:
        plan, steps = _plan(loaded, intent, None if dry_run else acting_user(by))
    except Mistakes as mistakes:
        if as_json:
            print_json({**answer, "mistakes": _as_json(mistakes)})
        raise
    if as_json:
        answer["warnings"] = plan.warnings
        print_json({**answer, "steps": plan.as_json(), "data_types": [step.as_json() for step in steps]})
    else:
        show_steps(steps)
        _show(plan, dry_run=dry_run)
        for warning in plan.warnings:
            warn(warning)
    _warn_of_missing_credentials(loaded)
    _warn_of_lost_mail(loaded, {step.name for step in plan.changing})


def _plan(loaded: LoadedFolder, intent: Intent, who: str | None) -> tuple[Plan, list[DataTypeStep]]:
    """Apply a folder, and the data types that it names; or without ``who`` only say what that would do."""
    from data_connections.catalog import apply_specs, plan_specs

    settings = current_settings()
    try:
        ledger = open_ledger(settings)
        known = known_names(settings, ledger)
        plan, steps = plan_specs(ledger, loaded.specs, known, intent), []
        if not loaded.mistakes:
            steps = _apply_data_types(ledger, loaded, who)
        if who is not None and not loaded.mistakes:
            plan = apply_specs(ledger, loaded.specs, known, intent, who)
    except Mistakes as more:
        raise Mistakes([*loaded.mistakes, *more.mistakes]) from None
    except LedgerUnavailable:
        if not loaded.mistakes:
            raise
    if loaded.mistakes:
        raise Mistakes(loaded.mistakes)
    return plan, steps


def _apply_data_types(ledger: Ledger, loaded: LoadedFolder, who: str | None) -> list[DataTypeStep]:
    """Bring the tables of the data types that the specs name to what their folders say."""
    from data_connections.catalog.data_type_versions import apply_data_types
    from data_connections.spec import InboundConnection

    known = known_data_types([])
    named = {each.spec.data_type for each in loaded.specs if isinstance(each.spec, InboundConnection)}
    return apply_data_types(ledger, [known[name] for name in sorted(named)], who or "", dry_run=who is None)


def _as_json(mistakes: Mistakes) -> list[dict[str, object]]:
    names = ("path", "line", "field", "message", "suggestion")
    return [{name: getattr(mistake, name) for name in names} for mistake in mistakes.mistakes]


def _folder_name(folder: Path) -> str:
    resolved = folder.resolve()
    return (resolved.parent if resolved.is_file() else resolved).name


def _show(plan: Plan, *, dry_run: bool) -> None:
    for step in plan.changing:
        _show_step(step)
    counts = {action: sum(step.action == action for step in plan.steps) for action in _PAST}
    said = ", ".join(
        f"{count} {'to ' + action if dry_run and action != 'keep' else _PAST[action]}"
        for action, count in counts.items()
        if count
    )
    note(f"{said or 'nothing to do'}{' (nothing was changed: --dry-run)' if dry_run else ''}")


def _show_step(step: Step) -> None:
    sign = _SIGNS[step.action]
    was = f" (was {step.renamed_from})" if step.renamed_from else ""
    typer.echo(typer.style(f"{sign} {step.name}{was}", fg=_COLOURS[sign], bold=True) + f"  {step.action}")
    for change in step.changes if step.old else ():
        typer.echo(f"    {change}")


def _warn_of_missing_credentials(loaded: LoadedFolder) -> None:
    from command_line.logins import missing_logins

    wanted = {each.spec.credentials for each in loaded.specs if each.spec.credentials}
    keys = {each.spec.pgp.credentials: each.spec.name for each in loaded.specs if each.spec.pgp}
    for name in sorted(missing_logins(keys)):
        warn(f"There are no PGP keys {name!r} yet (for {keys[name]}): connections credentials pgp generate {name}")
    for name in sorted(missing_logins(wanted)):
        users = sorted(each.spec.name for each in loaded.specs if each.spec.credentials == name)
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        shown = ", ".join(users[:3])
        warn(f"There are no credentials {name!r} yet (for {shown}{more}): connections credentials set {name}")


def _warn_of_lost_mail(loaded: LoadedFolder, changed: set[str]) -> None:
    """Ask once for each domain of new alert addresses whether it takes mail at all; no answer is no complaint.

    Domains of trials (``.test``) are in no DNS, so nobody is asked about them.
    """
    from email_validator import EmailSyntaxError, EmailUndeliverableError, validate_email

    addresses = [address for each in loaded.specs if each.spec.name in changed for address in each.spec.alerts.email]
    for address in {address.rpartition("@")[2].lower(): address for address in addresses}.values():
        try:
            validate_email(address, globally_deliverable=False, timeout=_DNS_TIMEOUT)
        except EmailUndeliverableError as lost:
            warn(f"Alerts to {address} would get lost: {lost}")
        except EmailSyntaxError:
            continue
