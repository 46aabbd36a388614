-- Whether a hit is the first in 37 months of its purchaseID, which is told apart by 20 bytes, whoever the visitor is.
(product_hit.purchase_id is null or not exists (
    select from web_hit earlier
    where earlier.program_id = product_hit.program_id
        and left(earlier.purchase_id, 20) = left(product_hit.purchase_id, 20)
        and 'purchase' = any(web_hit_events(earlier.events))
        and (earlier.event_date, earlier.submission_id, earlier.line)
            < (product_hit.event_date, product_hit.submission_id, product_hit.line)
        and earlier.event_date >= product_hit.event_date - interval '37 months'
))
