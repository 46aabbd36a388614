"""The codes that reading a file and applying its rows give, each with its meaning, its cause and its cure."""

from __future__ import annotations

from data_connections.data_types.codes import Code

BROKEN_ROW_CODES = {
    "CELL_COUNT": Code(
        "The row has more or fewer cells than the header.",
        "A delimiter inside a value that is not quoted, a forgotten cell, a cut line.",
        "Quote the value, or write the missing delimiter.",
    ),
    "BROKEN_QUOTE": Code(
        "A quote neither opens nor closes its cell. The row is rejected where its end is certain, else the file.",
        "A quote inside a value that is not doubled, a forgotten quote.",
        "Double quotes inside quoted values.",
    ),
    "ROW_TOO_LONG": Code(
        "The row has more bytes than the data type takes.",
        "A long text in a cell.",
        "Shorten it.",
    ),
    "BLANK_LINE": Code(
        "A blank line stands between rows.",
        "Two exports put together, an editor.",
        "Remove the line, or declare `blank_lines: skip`.",
    ),
    "NOT_MAPPED": Code(
        "The value is not written as the connection's `mapping` declares.",
        "Another form of dates or numbers, or a new value.",
        "Write it as agreed, or change the mapping.",
    ),
    "PACKED_COUNT": Code(
        "The packed cells of a row hold different numbers of values.",
        "A `;` inside a value, a value that is missing.",
        "Give every item a value in each of the packed columns.",
    ),
    "XML_REPEATED": Code(
        "An element comes twice in one row of an XML file.",
        "Rows inside rows, such as the items of an order.",
        "Write one row for each, or declare `repeated: join`.",
    ),
    "XML_MIXED_TEXT": Code(
        "Text stands between the elements of a row.", "A tag that is missing.", "Put the text into an element."
    ),
}

READING_CODES = {
    "EMPTY_FILE": Code("The file has no content.", "An export that failed.", "Send the file again."),
    "EMPTY": Code(
        "The file has a header and no row, and the connection expects rows (`allow_empty: false`).",
        "An export that failed.",
        "Send the file again, or allow empty files.",
    ),
    "BINARY_FILE": Code(
        "The file is of another kind, such as a spreadsheet or an archive.",
        "A workbook or a zip file named .csv.",
        "Save it as delimited text.",
    ),
    "PACKED_DAMAGED": Code(
        "A gzip, zstd or zip file cannot be unpacked to its end.", "A cut or damaged transfer.", "Send the file again."
    ),
    "PACKED_TOO_LARGE": Code(
        "A packed file holds more than the connection's `limits.max_bytes` (10 GB), or over 200 times its own size.",
        "A wrong file; an attack.",
        "Split it, send it unpacked, or raise the limit.",
    ),
    "PACKED_TWICE": Code(
        "A packed file holds another packed file.", "A script that packs what is packed.", "Pack it once."
    ),
    "ZIP_NOT_ONE_FILE": Code(
        "A zip file holds no file, or several where one is read.",
        "An export that failed; several exports in one archive, of which a connection makes a submission each.",
        "Send a file in it.",
    ),
    "PARCEL_EMPTY": Code(
        "No file of a zip with several fits the connection's `details.member_pattern`.",
        "A wrong archive, or files that were renamed.",
        "Send the files as agreed, or change the pattern.",
    ),
    "PARCEL_REFUSED": Code(
        "Every file of a zip with several was refused.", "See each of them.", "See the submissions that came in it."
    ),
    "MEMBERS_LEFT": Code(
        "A zip with several files holds some that the connection's `details.member_pattern` leaves out (a warning).",
        "A readme, a file for somebody else.",
        "Nothing, where they are not meant to be taken.",
    ),
    "ZIP_ENCRYPTED": Code(
        "A zip file is encrypted by a password.", "The packing program's setting.", "Send it without."
    ),
    "ZIP_UNSOUND": Code(
        "A zip file contradicts itself: entries that lie over each other, the same name twice, two directories that "
        "differ, a packing method that is not taken.",
        "A broken packing program; an attack.",
        "Pack it anew.",
    ),
    "NOT_DELIMITED": Code(
        "The file is text of another kind, such as HTML or JSON.", "A wrong export.", "Export delimited text or XML."
    ),
    "ITEM_FORMS_MIXED": Code(
        "The header numbers the items of a row, and also has the columns of a line that is one item.",
        "Two exports put together.",
        "Use one of the two forms.",
    ),
    "TOO_MANY_ITEMS": Code(
        "The header numbers more than 1,000 items.", "A wrong export.", "Write one line for each item."
    ),
    "ITEMS_SPREAD": Code(
        "The items of each row were spread over rows of their own, whose lines are named (a warning).",
        "Numbered item columns such as ItemSku1.",
        "Nothing.",
    ),
    "XML_MALFORMED": Code(
        "The file is no well-formed XML.",
        "A cut file, `&` or `<` in a text, a wrong encoding.",
        "Write `&amp;`, `&lt;`.",
    ),
    "XML_DOCTYPE": Code(
        "The file has a document type.", "A template with one; an attack.", "Send the file without `<!DOCTYPE ...>`."
    ),
    "XML_TOO_DEEP": Code(
        "More than 64 elements stand inside each other.", "A broken export; an attack.", "Correct it."
    ),
    "XML_TOO_MANY_COLUMNS": Code(
        "The rows have more than 4,096 different elements.", "Values used as names.", "Use one name for one column."
    ),
    "XML_ROW_UNKNOWN": Code(
        "It would be a guess which element is a row.",
        "Several elements repeat, or there are elements beside the rows.",
        "Declare `row`.",
    ),
    "XML_OUTSIDE_ROWS": Code(
        "Elements outside the rows have text: it is passed over (a warning).",
        "A head or foot.",
        "Nothing, if so meant.",
    ),
    "ROWS_SHARE_LINES": Code(
        "Several rows of an XML file stand on one line: the lines named are numbers of rows (a warning).",
        "An export without line ends.",
        "Nothing, or one row a line.",
    ),
    "NUL_BYTE": Code(
        "The file holds a NUL byte.",
        "UTF-16 without a byte order mark, a damaged transfer.",
        "Declare the encoding, or send the file again.",
    ),
    "INVALID_ENCODING": Code(
        "A byte does not fit the encoding.",
        "A file in a Windows or ISO encoding that is not declared.",
        "Save as UTF-8, or declare `encoding`.",
    ),
    "ENCODING_MISMATCH": Code(
        "The byte order mark says another encoding than is declared.",
        "The sender changed the encoding.",
        "Correct or remove `encoding`.",
    ),
    "BOM_REFUSED": Code(
        "The file begins with a byte order mark, and such files must not.",
        "An editor or a spreadsheet that saves UTF-8 with a mark.",
        "Save as UTF-8 without a byte order mark, or declare `byte_order_mark: allow`.",
    ),
    "BOM_MISSING": Code(
        "The declared encoding needs a byte order mark and the file has none.",
        "UTF-16 written without a mark.",
        "Declare utf-16-le or utf-16-be.",
    ),
    "DELIMITER_UNKNOWN": Code(
        "No delimiter is found in the first row.",
        "An unusual delimiter, lines above the table, a table of one column.",
        "Declare `delimiter` or `skip_lines`.",
    ),
    "DELIMITER_AMBIGUOUS": Code(
        "Several delimiters would fit.",
        "Values that hold other delimiters.",
        "Declare `delimiter`.",
    ),
    "QUOTE_AMBIGUOUS": Code(
        "A cell stands in apostrophes, which may be quotes or text.",
        "Another quote than the usual one.",
        "Declare `quote`.",
    ),
    "UNCLOSED_QUOTE": Code(
        "A quote is opened and never closed.",
        "A forgotten quote, or a file that was cut off.",
        "Close the quote, or send the file again.",
    ),
    "BARE_CR": Code(
        "A carriage return stands alone.",
        "Old Macintosh line ends, or a line break inside a value that is not quoted.",
        "Declare `newline`, or quote the value.",
    ),
    "MIXED_NEWLINES": Code(
        "Rows end in different ways.",
        "A line break inside a value that is not quoted, files put together.",
        "Quote the value, or declare `newline: any`.",
    ),
    "ROW_TOO_LONG": Code(
        "A row has more than 8 MiB.",
        "Other line ends than declared, an unclosed quote.",
        "Declare `newline`, or close the quote.",
    ),
    "TOO_FEW_LINES": Code(
        "The file has fewer lines than are to be skipped.", "A wrong `skip_lines`.", "Correct `skip_lines`."
    ),
    "NO_HEADER": Code(
        "Where the header should be is a blank line or the end of the file.",
        "Lines above the table.",
        "Declare `skip_lines`.",
    ),
    "EMPTY_HEADER": Code(
        "A column has no name.",
        "A delimiter at the end of every line, lines above the table.",
        "Name the column, or declare `trailing_delimiter` or `skip_lines`.",
    ),
    "DUPLICATE_HEADER": Code("Two columns have the same name.", "A copied column.", "Remove or rename one."),
    "HEADER_ROWS": Code("The rows of the header do not fit each other.", "A wrong `header_rows`.", "Correct it."),
    "HEADER_REPEATED": Code(
        "The header comes again among the rows.",
        "Two files put together, a header of several rows.",
        "Send two files, or declare `header_rows`.",
    ),
    "NAMES_COUNT": Code("As many names are declared as the header has not.", "A changed file.", "Correct `names`."),
    "NAMES_MISSING": Code(
        "The file is declared to have no header, and nothing names its columns.", "`names` is left out.", "Declare it."
    ),
    "BLANK_LINES": Code(
        "Too many blank lines follow each other.",
        "An export with empty rows.",
        "Remove them, or declare `blank_lines: skip`.",
    ),
    "FILE_TOO_LARGE": Code(
        "The file is larger than the connection takes (`limits.max_bytes`).", "A wrong file.", "Split the file."
    ),
    "FILE_MISSING": Code("The file was gone before it was fetched.", "Somebody moved or removed it.", "Put it back."),
    "FILE_CHANGED": Code(
        "Another file lay there when it was fetched; that one has a submission of its own.",
        "The sender replaced it.",
        "Nothing has to be done.",
    ),
    "FILE_DUPLICATE": Code(
        "The same bytes were fully applied before, for the same connection; every row counts as duplicate.",
        "The file was sent twice.",
        "Nothing has to be done; `connections submit --again` processes it all the same.",
    ),
    "REFUSED": Code(
        "Somebody refused the file while it waited for approval; the message says who and why.",
        "A limit of the connection (`hold_if`) was passed.",
        "Ask our side, and send a corrected file.",
    ),
}

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
        "The row names no currency, and neither the connection nor the program has one.",
        "An empty CurrencyCode.",
        "Name the currency.",
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
        "No contract with the partner has a term for the event type, category, currency and day.",
        "A contract that begins later, or that does not pay for this.",
        "Ask our side for a term, then send the order again.",
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
