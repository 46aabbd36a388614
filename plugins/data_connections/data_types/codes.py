"""The codes that cells and files get from columns and headers, each with its meaning, its cause and its cure."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """What a code means.

    Attributes:
        meaning: What was found.
        cause: How it usually comes about.
        cure: What the sender does about it.
    """

    meaning: str
    cause: str
    cure: str


FILE_CODES = {
    "MISSING_COLUMN": Code(
        "A required column is not in the header; the whole file is refused.",
        "A renamed or forgotten column, a file without header, lines above the header, another delimiter.",
        "Add the column, use one of its aliases, or declare the file's format.",
    ),
    "UNKNOWN_HEADER": Code(
        "None of the header's cells is a column of the data type; the whole file is refused.",
        "A file without header, lines above the header, another delimiter, a file of another data type.",
        "Put the column names on the first line, or declare the file's format.",
    ),
    "DUPLICATE_COLUMN": Code(
        "Two cells of the header mean the same column; the whole file is refused.",
        "A column stands in the file under its name and under an alias.",
        "Remove one of the two.",
    ),
    "UNKNOWN_COLUMN": Code(
        "The data type has no such column: a warning, or the refusal of the file, by setting.",
        "A spelling mistake, or a column that we do not use.",
        "Correct the name, or leave the column out.",
    ),
    "READ_ONLY_COLUMNS": Code(
        "The file has columns of our own reports that no file can change, such as State or Payout: a warning.",
        "A report that was edited and sent back.",
        "Nothing, if no more was meant to change.",
    ),
    "MORE_COLUMNS_THAN_ADVISED": Code(
        "The file adds more columns of its own than is advised: a warning.",
        "Several tables in one.",
        "Nothing has to be done; leave out what nobody reads.",
    ),
    "VANISHED_COLUMN": Code(
        "The connection's last applied file had a column that this one has not. A warning, or with "
        "`vanished_columns: reject` the file is refused.",
        "A changed export.",
        "Send the column again; if it is gone on purpose, nothing: the next file is compared with this one.",
    ),
    "AGE_NEAR_LIMIT": Code(
        "Rows of the file are within eight days of being too old (a warning).",
        "Orders that are sent late.",
        "Send them sooner: those that are older are rejected.",
    ),
    "ORDER_LINES_APART": Code(
        "Lines of one order stand apart from each other: a warning. They are duplicates, or, with "
        "`order_lines: regroup` of the connection, counted with the others.",
        "An export that is not sorted by order.",
        "List the lines of one order directly below each other.",
    ),
    "ORDER_TOO_LONG": Code(
        "One group of lines is longer than any order could be; the whole file is refused.",
        "The key column holds the same value on every line.",
        "Fill the key column, or split the order.",
    ),
    "MORE_ROWS_THAN_ADVISED": Code(
        "The file has more rows than is advised: a warning.",
        "A long period in one file.",
        "Nothing has to be done; smaller files come through faster.",
    ),
    "EXPECTATION_NOT_EVALUATED": Code(
        "An expectation over the whole file was not evaluated in this dry run: a warning.",
        "The file is too large to keep the columns that the expectation needs in memory.",
        "Submit the file: there the expectation is evaluated in the database.",
    ),
}

ROW_CODES = {
    "REQUIRED": Code(
        "A required cell is empty.",
        "A value that the sender's system does not have.",
        "Fill the cell.",
    ),
    "NOT_INTEGER": Code(
        "The cell is not a whole number.",
        "Letters, spaces, separators, a plus sign, a decimal point.",
        "Write digits only, with a minus sign in front where it is negative: 42, -7.",
    ),
    "NOT_DECIMAL": Code(
        "The cell is not a decimal number.",
        "Thousands separators, a decimal comma, a currency sign, an exponent, spaces, a plus sign.",
        "Write digits, and a point before the decimals: 1234.50, -0.5.",
    ),
    "TOO_MANY_DECIMALS": Code(
        "The number has more decimals than the column takes; nothing is ever rounded.",
        "An export with a fixed number of decimals, or the result of a calculation.",
        "Round it where it comes from.",
    ),
    "TOO_MANY_DIGITS": Code(
        "The number has more digits than the column takes.",
        "The wrong column, or a wrong unit.",
        "Check the value and the order of the columns.",
    ),
    "TOO_SMALL": Code(
        "The number is below the column's minimum.",
        "A negative amount: returns are sent as modifications.",
        "Correct the value.",
    ),
    "TOO_LARGE": Code(
        "The number is above the column's maximum.",
        "The wrong column, or a wrong unit.",
        "Correct the value.",
    ),
    "NOT_BOOLEAN": Code(
        "The cell is not yes or no.",
        "Another word than the ones that are understood.",
        "Write true or false (also understood: 1, 0, yes, no, y, n, in any case).",
    ),
    "NOT_DATETIME": Code(
        "The cell is not a date and time as ISO 8601 writes it.",
        "Another order of day and month, a date that does not exist, spaces, more than 6 decimals of a second.",
        "Write 2026-03-01T14:05:09Z, or with an offset 2026-03-01T14:05:09+01:00.",
    ),
    "LOCAL_TIME_SKIPPED": Code(
        "The time has no offset and does not exist: clocks were put forward over it.",
        "Local times around the start of summer time.",
        "Write the time with its offset from UTC.",
    ),
    "LOCAL_TIME_REPEATED": Code(
        "The time has no offset and came twice: clocks were put back over it.",
        "Local times around the end of summer time.",
        "Write the time with its offset from UTC.",
    ),
    "EVENT_IN_FUTURE": Code(
        "The event lies more than a day after the receipt. Rejected, or with `unlikely_dates: warn` a warning.",
        "Day and month exchanged, a wrong year, a test.",
        "Correct the date.",
    ),
    "DATE_UNLIKELY": Code(
        "The date, also that of an event, lies before 1990. Rejected, or with `unlikely_dates: warn` a warning.",
        "A program's date for none, a year of two digits.",
        "Write the year in full, or leave the cell empty.",
    ),
    "TOO_LONG": Code(
        "The text has more characters than the column takes; nothing is ever cut off.",
        "The wrong column, or a text that the receiver cannot keep.",
        "Shorten the text.",
    ),
    "PATTERN": Code(
        "The text does not have the form that the column asks for.",
        "A spelling mistake, or another coding.",
        "See the column's description.",
    ),
    "NOT_ALLOWED": Code(
        "The text is not one of the values that the column takes.",
        "A spelling mistake, or a value that is not set up.",
        "Use one of the values that the message names.",
    ),
    "CURRENCY_UNKNOWN": Code(
        "The code is no currency of ISO 4217 that is in use, nor the connection's or program's own currency.",
        "A spelling mistake, a test, a currency that was replaced more than two years ago.",
        "Write the currency's code, such as EUR.",
    ),
    "CONTROL_CHARACTER": Code(
        "A key holds a line break, a tab or another character that cannot be seen.",
        "Copied text, a wrong encoding.",
        "Remove the character.",
    ),
    "SPACE_AROUND_KEY": Code(
        "A key begins or ends with a space, which stays part of it: a warning.",
        "Padded exports, spaces after the delimiter.",
        "Remove the spaces, unless they belong to the value.",
    ),
    "LOOKS_GUARDED": Code(
        "A text begins with an apostrophe before `=`, `+`, `-` or `@`, which stays part of it: a warning.",
        "One of our CSV reports, which guard such texts, sent back as a file.",
        "Have the connection say `format.formula_guard: undo`, unless the apostrophe belongs to the value.",
    ),
}
