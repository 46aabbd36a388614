"""The SQL of rows that are kept as their folder says; ``s`` is the staged row, ``t`` the kept one."""

from __future__ import annotations

OPEN = "{rows} s left join verdict v on v.line = s.line where s.outcome = 0 and v.line is null"
"""Accepted rows without a verdict."""

PROGRAM = "select id, active from program where key = {program_key}"

REJECT_OTHER_PROGRAMS = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'rejected', 'CAMPAIGN_NOT_FOUND', {program_name},
       format('%s %s is not an active program of this connection.', {program_name}, {program_field})
from {open} and {program_field} <> {active_program}
"""

MARK_REPEATED = """
insert into verdict (line, outcome, code, column_name, message)
select line, 'duplicate', 'KEY_REPEATED', {key_name},
       format('Line %s, further down, has the same %s, and counts.', last_line, {key_names})
from (
    select s.line, max(s.line) over (partition by {key}) as last_line from {open}
) lines where line <> last_line
"""

COPIES = """
select copy.id from submission copy join submission own
  on copy.connection_id = own.connection_id and copy.sha256 = own.sha256 and copy.id <> own.id
where own.id = {submission}
"""

MARK_KNOWN = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'duplicate', 'LINE_KNOWN', null,
       format('The same line of the same bytes was taken as submission %s.', min(t.submission_id))
from {rows} s left join verdict v on v.line = s.line
join {table} t on t.line = s.line and t.submission_id in ({copies})
where s.outcome = 0 and v.line is null group by s.line
"""
"""Appended rows are told apart by submission and line, and the same bytes are the same rows for ever."""

IS_REPLAY = "select id from submission where id = {submission} and origin = 'replay'"

MARK_SUPERSEDED = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'rejected', 'SUPERSEDED', {key_name},
       format('The row of this %s was written since by submission %s, which was received later.', {key_names},
              t.submission_id)
from {rows} s left join verdict v on v.line = s.line join {table} t on {in_scope} and {same_key}
where s.outcome = 0 and v.line is null and t.received_at > {received_at}
"""
"""A replay never overwrites a newer row unasked."""

MARK_NOTHING_TO_REMOVE = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'duplicate', 'NOTHING_TO_REMOVE', {key_name},
       format('No row of this %s is kept, so none is removed.', {key_names})
from {open} and {is_removal} and not exists (select from {table} t where {in_scope} and {same_key})
"""

WRITE = """
with written as (
    insert into {table} as t (program_id, dataset, {fields} extra, received_at, submission_id, line)
    select {program}, {dataset}, {values} {extra}, {received_at}, {submission}, s.line from {open} and not {is_removal}
    {on_conflict}
    returning t.line, {kept_amount} as amount, {kept_quantity} as quantity
)
select s.measured_currency as currency, count(*) as rows, coalesce(sum(w.quantity), 0) as quantity,
       coalesce(sum(w.amount), 0) as amount
from written w join {rows} s on s.line = w.line group by 1
"""

WRITTEN = """
select 'WRITTEN' as state, {currency} as currency, count(*) as count,
       coalesce(sum(s.measured_amount), 0) as amount
from {open} and not {is_removal} group by 2 order by 2
"""

ON_CONFLICT = "on conflict ({index}) do update set {assignments}"

REMOVE = """
with removed as (
    delete from {table} t using {rows} s left join verdict v on v.line = s.line
    where s.outcome = 0 and v.line is null and {is_removal} and {in_scope} and {same_key}
    returning s.line
)
select s.measured_currency as currency, count(*) as rows, coalesce(sum({quantity}), 0) as quantity,
       coalesce(sum(s.measured_amount), 0) as amount
from removed r join {rows} s on s.line = r.line group by 1
"""

SWEEP = """
delete from {table} t
where {in_scope} and {may_go} and t.submission_id <> {submission} and not exists (select from {rows} s where {same_key})
"""

GOING_OF_FULL = """
select (select count(*) from {table} t where {in_scope}) as kept,
       (select count(*) from {table} t where {in_scope} and {may_go} and not exists (
            select from {rows} s left join verdict v on v.line = s.line
            where {same_key} and not (s.outcome = 0 and v.line is null and {is_removal}))) as going
"""

GOING_OF_DELTA = """
select (select count(*) from {table} t where {in_scope}) as kept,
       (select count(*) from {table} t where {in_scope} and exists (select from {open} and {is_removal} and {same_key}))
           as going
"""
