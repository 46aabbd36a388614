"""How web events are applied: hits as they are, each of their products by itself, purchases counted once."""

from __future__ import annotations

from data_connections.applying import kept_rows
from data_connections.applying.kept_rows import KeptStatements
from data_connections.applying.rules import Application, Rules
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.staging import Sum

PURCHASE_ID_LENGTH = 20
"""How much of a purchaseID tells purchases apart; it is ASCII."""

PURCHASE_MONTHS = 37
"""How long a purchaseID is remembered, from the time of its purchase."""

_IS_PURCHASE = r"~ '(^|,)purchase([=:,]|$)'"

_MARK_REPEATED = f"""
insert into verdict (line, outcome, code, column_name, message)
select line, 'duplicate', 'PURCHASE_DUPLICATE', 'PurchaseId',
       format('The purchase %s counts already, since %s; a purchaseID counts once in {PURCHASE_MONTHS} months.',
              purchase, place)
from (
    select p.line, p.purchase,
           coalesce('submission ' || min(h.submission_id), 'line ' || min(p.first_line)) as place
    from (
        select s.line, left({{purchase_id}}, {PURCHASE_ID_LENGTH}) as purchase, {{event_date}} as at,
               first_value(s.line) over same as first_line, first_value({{event_date}}) over same as first_at
        from {{open}} and {{purchase_id}} is not null and {{events}} {_IS_PURCHASE}
        window same as (partition by left({{purchase_id}}, {PURCHASE_ID_LENGTH}) order by s.line)
    ) p
    left join web_hit h
      on h.program_id = {{program}} and h.dataset = {{dataset}}
     and left(h.purchase_id, {PURCHASE_ID_LENGTH}) = p.purchase
     and h.events {_IS_PURCHASE}
     and h.event_date between p.at - interval '{PURCHASE_MONTHS} months' and p.at + interval '{PURCHASE_MONTHS} months'
    where h.line is not null
       or (p.line > p.first_line and p.at between p.first_at - interval '{PURCHASE_MONTHS} months'
                                              and p.first_at + interval '{PURCHASE_MONTHS} months')
    group by p.line, p.purchase
) repeated
"""

_WRITE_PRODUCTS = """
insert into web_product (program_id, dataset, submission_id, line, number, category, product, quantity, price, events,
                         merchandising, hit_events)
select h.program_id, h.dataset, h.submission_id, h.line, p.number, nullif(split_part(p.text, ';', 1), ''),
       split_part(p.text, ';', 2), nullif(split_part(p.text, ';', 3), '')::numeric,
       nullif(split_part(p.text, ';', 4), '')::numeric, web_values(split_part(p.text, ';', 5)),
       web_values(split_part(p.text, ';', 6)), web_hit_events(h.events)
from web_hit h cross join lateral string_to_table(h.products, ',') with ordinality as p (text, number)
where h.submission_id = {submission} and h.products is not null
"""


def decide(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Find the purchases that count already: with the same purchaseID, of any visitor, not long before or after."""
    sums = kept_rows.decide(connection, application)
    if application.has("PurchaseId") and application.has("Events"):
        run = KeptStatements(connection, application)
        columns = {"purchase_id": "PurchaseId", "event_date": "EventDate", "events": "Events"}
        run.put(**{part: application.field(name) for part, name in columns.items()})
        run(_MARK_REPEATED)
    return sums


def write(connection: LedgerConnection, application: Application) -> list[Sum]:
    """Write the hits, and the products of each."""
    sums = kept_rows.write(connection, application)
    KeptStatements(connection, application)(_WRITE_PRODUCTS)
    return sums


RULES = Rules(family="rows of web_hit", strict_order=False, decide=decide, write=write, effect=kept_rows.effect)
