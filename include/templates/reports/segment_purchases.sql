with
-- include hits
select
    visitor_id as "VisitorId",
    recipient_id as "RecipientId",
    message_id as "MessageId",
    left(purchase_id, 20) as "PurchaseId",
    product as "ProductId",
    category as "Category",
    event_date as "PurchaseDate",
    quantity as "Quantity",
    price as "Revenue",
    currency as "Currency"
from product_hit
where 'purchase' = any(hit_events)
    and
    -- include first_of_its_purchase
order by event_date, submission_id, line, product
