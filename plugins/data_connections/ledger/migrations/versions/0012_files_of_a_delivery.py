"""A delivery has several files, the days of its report reach back before its business date, and more is reported."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

FILES = """
create table delivery_file (
    delivery_id bigint not null references delivery,
    number integer not null check (number > 0),
    file_name text not null,
    rows bigint not null,
    size bigint not null,
    sha256 text not null,
    md5 text,
    landing_key text not null,
    remote_path text,
    collected_at timestamptz,
    primary key (delivery_id, number)
);
insert into delivery_file (delivery_id, number, file_name, rows, size, sha256, landing_key, remote_path, collected_at)
select id, 1, file_name, rows, size, sha256, landing_key, remote_path, collected_at from delivery;
create index delivery_file_by_path on delivery_file (remote_path);
alter table delivery
    add column kind text not null default 'report' check (kind in ('report', 'segment')),
    add column date_from date,
    add column marker_paths text[] not null default '{}',
    drop column sha256,
    drop column landing_key,
    drop column remote_path;
update delivery set date_from = business_date;
alter table delivery alter column date_from set not null, add check (date_from <= last_date);
"""

REPORTS_ROLE = """
do $$
begin
    if exists (select from pg_roles where rolname = 'connections_reports') then
        grant select (id, connection_id, file_name, data_type, origin, received_at, state, code, rows, accepted, warned,
                      rejected, duplicate, held, finished_at) on submission to connections_reports;
        grant select on submission_total to connections_reports;
        grant select (id, name) on connection to connections_reports;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Move what is a file's own out of the delivery, and let reports read submissions."""
    for part in (FILES, REPORTS_ROLE):
        op.execute(part)
