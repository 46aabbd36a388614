with
-- include hits
, counted as (
    select
        product,
        count(*) filter (where 'scAdd' = any(hit_events)) as cart_adds,
        count(distinct (submission_id, line)) filter (
            where 'purchase' = any(hit_events)
                and
                -- include first_of_its_purchase
        ) as orders,
        count(*) filter (where 'prodView' = any(hit_events)) as views
    from product_hit
    group by product
)
select
    product as "ProductId",
    cart_adds as "CartAdds",
    orders as "Orders",
    views as "ProductViews",
    round(orders::numeric / nullif(cart_adds, 0), 6) as "OrdersPerCartAdd",
    round(views::numeric / nullif(orders, 0), 6) as "ProductViewsPerOrder"
from counted
order by product
