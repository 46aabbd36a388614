select count(*) as "rows", sum(current_price) as "CurrentPrice"
from catalog_item
where program_id in (select id from program where %(program)s::text is null or key = %(program)s)
    and %(date_from)s::date <= %(date_to)s::date
