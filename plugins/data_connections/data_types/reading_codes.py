"""The codes that reading a file gives, each with its meaning, its cause and its cure."""

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
    "SAME_NAME": Code(
        "A file of this name came before, with other bytes. What that does is the connection's `same_name`.",
        "A name that is used again, a correction, or a file that was sent twice in different form.",
        "Give every file a name of its own, such as by date and time.",
    ),
    "CAME_LATE": Code(
        "The file is older than one that was applied before it, and the order of such files counts (a warning).",
        "A file that was held back, or sent again.",
        "Look at what it changed; send the younger one again where that should hold.",
    ),
    "TRAILER_MISSING": Code(
        "The last line is not the trailer that `format.trailer` declares.",
        "A file that was cut, or an export in another form.",
        "Send the file again.",
    ),
    "TRAILER_MISMATCH": Code(
        "The trailer says another number of rows, or another sum, than the file has.",
        "A file that was cut or changed.",
        "Send the file again.",
    ),
    "MANIFEST_MISMATCH": Code(
        "The file's MD5 or SHA-256 is not what its manifest says.",
        "A broken transfer, or a manifest of another file.",
        "Send file and manifest again.",
    ),
    "MANIFEST_ROWS": Code(
        "The file has not as many rows as its manifest says.",
        "An export that was cut, or a manifest of another file.",
        "Send file and manifest again.",
    ),
    "PGP_NOT_ENCRYPTED": Code(
        "The file is not encrypted with PGP, and the connection takes encrypted files only.",
        "A script that sends the plain file.",
        "Encrypt it for the public key that we gave.",
    ),
    "PGP_WRONG_KEY": Code(
        "The file is encrypted with PGP, and for none of our valid keys.",
        "An old public key of ours, or somebody else's.",
        "Encrypt it for the public key that we gave.",
    ),
    "PGP_KEY_EXPIRED": Code(
        "The file is encrypted with PGP, and every key of ours has expired.",
        "Nobody made a new key in time.",
        "`connections credentials pgp generate`; then encrypt for the new key.",
    ),
    "PGP_KEY_EXPIRES": Code(
        "A PGP key of the connection ends within 30 days, or has ended (a warning).",
        "Keys are good for a limited time.",
        "Exchange new keys, and keep both until nobody uses the old one.",
    ),
    "PGP_NOT_SIGNED": Code(
        "The file is not signed with PGP, and the connection takes signed files only.",
        "A script that does not sign.",
        "Sign it with the key that you gave us.",
    ),
    "PGP_SIGNATURE": Code(
        "The file is signed with PGP, and by no valid key that is stored for the partner.",
        "A new or expired key; somebody else's file.",
        "Compare the keys with the partner; store the new one with `connections credentials pgp add`.",
    ),
    "PGP_COMPRESSED": Code(
        "A PGP message is compressed inside its encryption, and its signature has to be checked.",
        "GnuPG's usual setting.",
        "Write it without: `gpg --compress-algo none`; compress the file before, if at all.",
    ),
    "PGP_DAMAGED": Code(
        "A PGP message was cut, damaged or changed on its way.", "A broken transfer; an attack.", "Send it again."
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
