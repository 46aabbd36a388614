select
    catalog_item.catalog_item_id as "CatalogItemId",
    program.id as "ProgramId",
    catalog_item.name as "Name",
    catalog_item.description as "Description",
    catalog_item.url as "Url",
    catalog_item.image_url as "ImageUrl",
    catalog_item.current_price as "CurrentPrice",
    catalog_item.sale_price as "SalePrice",
    catalog_item.currency as "Currency",
    catalog_item.stock_availability as "StockAvailability",
    catalog_item.brand as "Brand",
    catalog_item.gtin as "Gtin",
    catalog_item.mpn as "Mpn",
    catalog_item.category as "Category",
    catalog_item.condition as "Condition"
from catalog_item
join program on program.id = catalog_item.program_id
where (%(program)s::text is null or program.key = %(program)s) and %(date_from)s::date <= %(date_to)s::date
order by program.id, catalog_item.dataset, catalog_item.catalog_item_id
