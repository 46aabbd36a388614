"""`connections explain`: the story of an action."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from command_line.output import AsJson, note, print_fields, print_json, print_table
from command_line.session import open_ledger
from data_connections.currencies import money


def explain(
    name: Annotated[str, typer.Argument(metavar="ACTION|ORDER|CUSTOMER", show_default=False, help="Its id.")],
    program: Annotated[str | None, typer.Option("--program", "-p", help="Only this program.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how an action came to be what it is: each submission and line, its contract, its payout, when it locks."""
    from data_connections.steps.explanation import MOST
    from data_connections.steps.explanation import explain as explained

    actions = explained(open_ledger(), name, program=program)
    if as_json:
        print_json(actions)
        return
    for action in actions:
        _print(action)
    ways = [way for way in ("action", "order", "customer") if any(each["named_by"] == way for each in actions)]
    if len(ways) > 1:
        note(f"{name} is the id of more than one thing ({', '.join(ways)}): all of them are shown.")
    if len(actions) == MOST:
        note(f"These are the first {MOST}.")


def _print(action: dict[str, Any]) -> None:
    print_fields(
        {
            "Action": f"{action['public_id']} of {action['program']}, {action['event_type']}",
            "Order": f"{action['order_id']}" + (f", for the {action['occurrence']}. time" * (action["occurrence"] > 1)),
            "Customer": action["customer_id"],
            "State": f"{action['state']}, {_money(action, 'amount')}",
            "Event": action["event_at"],
            "Received": action["received_at"],
            "Partner": f"{action['partner'] or 'unknown'} ({action['partner_id']}), by {action['attributed_by']}"
            if action["attributed_by"]
            else action["partner_id"],
            "Follows action": action["parent_id"],
            "Payout": _payout(action),
            "Locks": f"{action['locks_at']:%Y-%m-%d %H:%M} UTC, {action['locking_policy']}"
            if action["locks_at"]
            else None,
            "Locked": f"{action['locked_at']:%Y-%m-%d %H:%M} UTC, by {action['locked_by']}"
            if action["locked_at"]
            else None,
            "Withdrawn": action["withdrawn_at"],
        }
    )
    columns = ("received", "what", "state", "amount", "payout", "reason", "submission", "line", "file")
    print_table(columns, (_event(event, action["currency"]) for event in action["timeline"]))


def _payout(action: dict[str, Any]) -> str | None:
    if action["payout"] is None:
        return None
    if action["items"]:
        return f"{_money(action, 'payout')}, the sum of its {action['items']} items"
    rate = (
        f"{action['percent']:f} % of {_plain(action, 'amount')}"
        if action["percent"] is not None
        else f"{_plain(action, 'fixed')} each"
    )
    return f"{_money(action, 'payout')} = {rate} by {action['contract']}, from {action['term_starts']}"


def _money(action: dict[str, Any], what: str) -> str:
    return f"{_plain(action, what)} {action['currency']}"


def _plain(action: dict[str, Any], what: str) -> str:
    return money(action[what], action["currency"])


def _event(event: dict[str, Any], currency: str) -> tuple[Any, ...]:
    return (
        event["received_at"],
        event["kind"],
        _change(event["old_state"], event["new_state"]),
        _change(*(_amount(event[name], currency) for name in ("old_amount", "new_amount"))),
        _change(*(_amount(event[name], currency) for name in ("old_payout", "new_payout"))),
        event["disposition"] or event["reason"],
        event["submission_id"],
        event["line"],
        event["file_name"],
    )


def _amount(value: Decimal | None, currency: str) -> str | None:
    return None if value is None else money(value, currency)


def _change(old: Any, new: Any) -> str | None:
    if new is None or old == new:
        return None if new is None else str(new)
    return f"{old} -> {new}" if old is not None else str(new)
