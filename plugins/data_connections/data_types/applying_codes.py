"""The codes that the ledger's rules give rows, each with its meaning, its cause and its cure."""

from __future__ import annotations

from data_connections.data_types.codes import Code

APPLYING_CODES = {
    "CAMPAIGN_NOT_FOUND": Code(
        "There is no active program with this number, or it is not the connection's.",
        "A wrong number.",
        "Correct CampaignId.",
    ),
    "ACTIONTRACKER_NOT_FOUND": Code(
        "There is no such event type; the message begins with *ActionTrackerId value is invalid*.",
        "A wrong number or code.",
        "Enter the event type's number.",
    ),
    "ACTIONTRACKER_CAMPAIGN_MISMATCH": Code(
        "The event type belongs to another program.", "Numbers of two programs are mixed.", "Correct one of them."
    ),
    "ACTIONTRACKER_NOT_ACTIVE": Code("The event type is not active.", "It was switched off.", "Use an active one."),
    "CONV_DUPLICATE": Code(
        "The order is known, and lies within the event type's window (30 days unless it says otherwise): a duplicate.",
        "The same order in two files.",
        "Nothing has to be done.",
    ),
    "CURRENCY_MISSING": Code(
        "The currency is XXX, which ISO 4217 has for none at all.",
        "A shop that has no currency set up.",
        "Write the order's currency, or leave CurrencyCode empty for the connection's or the program's.",
    ),
    "ORDER_CURRENCIES": Code(
        "The lines of one order have different currencies.", "Orders with the same number.", "Give it one currency."
    ),
    "NO_VALID_REFERRAL": Code(
        "Nothing in the row leads to a partner, and the program pays its partners by contract.",
        "No MediaPartnerId, an unknown MediaId or click, a promo code that was given to nobody.",
        "Send MediaId, MediaPartnerId or the ClickId, or have the promo code given to the partner.",
    ),
    "PARTNER_NOT_ACTIVE": Code(
        "The partner that the row leads to is not active.", "The partner left the program.", "Ask our side."
    ),
    "CONTRACT_NOT_FOUND": Code(
        "No contract with the partner has a term for the category, currency and day, or there is no contract at all.",
        "A contract that begins later, or that does not pay for this.",
        "Ask our side for a term, then send the order again.",
    ),
    "ACTIONTERMS_NOT_FOUND": Code(
        "The partner has a contract, and it pays for other event types only.",
        "An event type that is new, or not agreed with this partner.",
        "Ask our side for a term, then send the order again.",
    ),
    "REFTYPE_NOT_ACCEPTED": Code(
        "The order leads to its partner in a way that the event type does not pay for (`accepts` of the event type).",
        "Only a promo code, say, where clicks are paid for.",
        "Send what is accepted, such as the ClickId, if there was one.",
    ),
    "OUTSIDE_ASSOCIATION_WINDOW": Code(
        "The click lies longer before the order than the event type allows (`click_window_days`).",
        "A late order, or an old click.",
        "Nothing can be done, unless MediaId or MediaPartnerId says who earns.",
    ),
    "OTHER_REF_PRIORITIZED": Code(
        "The order's click leads to another partner than its MediaId or MediaPartnerId, which go before: a warning.",
        "A partner who is named in the order beside a click of another.",
        "Nothing, if so meant; else leave one of them out.",
    ),
    "RESTRICTED_PROMOCODE": Code(
        "The promo code is for one partner alone (`exclusive`), and the order leads to another.",
        "A code that spread to other sites.",
        "Ask our side who is to earn.",
    ),
    "BLOCKED_BY_PROMOCODE": Code(
        "The program pays nobody for orders with this promo code (`blocked_promo_codes`).",
        "A code for employees or for service.",
        "Nothing has to be done.",
    ),
    "BLACKLISTED_SOURCE_IP": Code(
        "The order's IpAddress is one from which the program takes no orders (`blocked_addresses`).",
        "A known source of fraud, or of tests.",
        "Ask our side.",
    ),
    "CREDITING_RULE_MISMATCH": Code(
        "The event type pays only for customers of another CustomerStatus (`customer_statuses`).",
        "An order of an existing customer, where new ones are paid for, or no CustomerStatus.",
        "Send the CustomerStatus; else nothing can be done.",
    ),
    "MAX_RECURRENCES_REACHED": Code(
        "The customer has as many actions of this event type as are paid for (`most_per_customer`).",
        "A second first order.",
        "Nothing can be done.",
    ),
    "NO_VALID_ACTION_REF": Code(
        "An action of this event type follows another of the same customer, and the row has no CustomerId.",
        "An empty cell.",
        "Give the CustomerId of the first action.",
    ),
    "ACTION_REF_NOT_FOUND": Code(
        "The customer has no action of the event type that must come first.",
        "The first action was not sent or was rejected, or has another CustomerId.",
        "Send the first action, then this one again.",
    ),
    "ACTION_NOT_FOUND": Code(
        "No action of the program is the one that the row names.",
        "A wrong OrderId or ActionId, an order that was rejected, columns that name two different actions.",
        "Correct the OrderId, or send the order first.",
    ),
    "LOCKS_BEFORE_NEXT_RUN": Code(
        "The action locks before the connection runs the next time after the file was received: a warning.",
        "A schedule that is slower than the event type's locking.",
        "Send what else is to be changed before the locking date; it counts from when it is received.",
    ),
    "NO_CHANGE": Code(
        "The action is already what the row says.",
        "A row that was sent before, or an amount that says by how much instead of what is to be.",
        "Write the final amount into Amount; 0 reverses.",
    ),
    "ALREADY_LOCKED": Code(
        "The action's locking date had passed when the file was received.",
        "A return that came too late.",
        "Nothing can be done: what is locked is final.",
    ),
    "ALREADY_APPROVED": Code(
        "A file approved the action before, and what is approved is final.",
        "A return after the approval, or an approval that is sent twice.",
        "Nothing can be done; approve later.",
    ),
    "ALREADY_REVERSED": Code(
        "The action, or the item, is reversed already.",
        "A reversal that is sent twice, or one of an order whose items were all reversed.",
        "Nothing has to be done. To restore the action, send its amount.",
    ),
    "REASON_NOT_FOUND": Code(
        "The event type has no such reason or disposition code, or the disposition has another column's meaning.",
        "A spelling mistake, or a code that is not set up.",
        "Use one of the codes of docs/modifications.md, or have the code added to the event type.",
    ),
    "CURRENCY_MISMATCH": Code(
        "The row's currency is not the action's, and nothing is converted.",
        "Amounts in the shop's currency instead of the order's.",
        "Give the amount in the action's currency.",
    ),
    "SUPERSEDED": Code(
        "The action was changed since by a file that was received later, and a replay never overwrites that.",
        "A file that was delayed or held, beside a newer one.",
        "Send what the action is to be now.",
    ),
    "NO_ITEM": Code(
        "The action has no item with this Sku (and Category), or none that a new total could be shared out over.",
        "A wrong Sku, or an order that was sent without items.",
        "Correct the Sku, leave it out, or send a line for each item.",
    ),
    "ITEM_AMBIGUOUS": Code(
        "The action has several items with this Sku.", "The same product in two lines.", "Name the Category too."
    ),
    "CONTRADICTION": Code(
        "The code and the figures of the row do not fit each other.",
        "A reversal with an amount above 0, an approval with an Amount of 0 or with a Sku.",
        "Send one of them.",
    ),
    "TOO_MANY_MODIFICATIONS": Code(
        "The action was modified 1,000 times before.", "A loop at the sender.", "Talk to our side."
    ),
    "ZERO_ON_ZERO": Code(
        "An Amount of 0 on an action whose amount is 0 modifies it and does not reverse it: a warning.",
        "A reversal of an action without money, such as a sign-up.",
        "To reverse it send a DispositionCode such as REJECTED.",
    ),
    "KEY_REPEATED": Code(
        "A line further down has the same key, and counts; this one is a duplicate.",
        "The same row several times in one file.",
        "Nothing has to be done where the last one is right.",
    ),
    "LINE_KNOWN": Code(
        "The same line of the same bytes was taken before: a duplicate.",
        "A file with rejected rows that is sent again as it was.",
        "Nothing has to be done; send the corrected rejects file.",
    ),
    "NOTHING_TO_REMOVE": Code(
        "The row would take away what is not kept: a duplicate.",
        "It was taken away before.",
        "Nothing has to be done.",
    ),
    "ROWS_VANISH": Code(
        "The submission waits for approval: it would take away more of the kept rows than is usual "
        "(`keep.most_removed`, `dataset.most_removed`).",
        "A part of the set in place of the whole, an export that failed half way.",
        "Look at it, and approve or refuse it.",
    ),
    "WITHDRAWN": Code(
        "The row was held, and its submission was withdrawn meanwhile.",
        "Somebody on our side withdrew the file; the message says who.",
        "Send a corrected file.",
    ),
    "PURCHASE_DUPLICATE": Code(
        "A purchase with the same purchaseID (its first 20 bytes), of any visitor, counts already: a duplicate.",
        "The confirmation page was loaded again within 37 months.",
        "Nothing has to be done.",
    ),
    "HELD_BY_LIMIT": Code(
        "The submission waits for approval: one of the connection's limits (`hold_if`) was passed.",
        "An unusual file.",
        "Look at it, and approve or refuse it.",
    ),
}

OTHERS_CODES = {
    "MALFORMED": "Told more exactly, by `NOT_DECIMAL`, `NOT_DATETIME`, `CELL_COUNT` and the others of cells and rows.",
    "CONV_MALFORMED": "Like `MALFORMED`.",
    "UNCLAIMED": "An order that leads to nobody is `NO_VALID_REFERRAL`, one that names nobody `ATTRIBUTION_MISSING`.",
    "CALL_DUPLICATE": "Calls are not taken in: files of orders have no time, length or end of a call.",
    "CALL_DURATION_TOO_SHORT": "Like `CALL_DUPLICATE`.",
    "CALL_FOR_CALL_PER_CONV_AT": "Like `CALL_DUPLICATE`.",
    "CALL_INCOMPLETE": "Like `CALL_DUPLICATE`.",
    "CALL_OUTSIDE_DAILY_RANGE": "Like `CALL_DUPLICATE`.",
}
"""Codes that the platforms' documents name and no row gets here, each with the reason."""
