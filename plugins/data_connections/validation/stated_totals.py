"""Orders that say what they are worth: their lines have to add up to it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from data_connections.data_types import DataType
from data_connections.validation.measures import row_amounts
from data_connections.validation.outcomes import Finding, Mask
from data_connections.validation.rows import CheckedRows
from data_connections.validation.runs import Runs

_STATED = [("paid", "sum"), ("least", "min"), ("most", "max")]


class StatedTotals:
    """Adds up the lines of orders and compares them with the column ``group.total``.

    Args:
        data_type: What the rows are; has a group with a total.
    """

    def __init__(self, data_type: DataType) -> None:
        assert data_type.group is not None  # noqa: S101 - what has no group has no total
        self._data_type = data_type
        self._group = data_type.group
        self._column = str(data_type.group.total)

    def of_runs(self, rows: CheckedRows, runs: Runs, counted: Mask, *, first: int = 0) -> pa.Table:
        """Return ``number``, ``paid``, ``least`` and ``most`` of each run: its money, and what its lines say it is.

        Args:
            rows: Lines of the file.
            runs: The run of each.
            counted: Which lines count.
            first: What the numbers of the runs are counted from.
        """
        stated = rows.typed.column(self._column)
        table = pa.table(
            {
                "number": pa.array(runs + first),
                "paid": row_amounts(self._data_type, rows.typed),
                "least": stated,
                "most": stated,
            }
        )
        return _added_up(table.filter(pa.array(counted)))

    def of_orders(self, runs: Sequence[pa.Table], order_of: Runs, counted: Mask) -> pa.Table:
        """Return the same of each order.

        Args:
            runs: What ``of_runs`` returned.
            order_of: The order of each run.
            counted: Which runs count.
        """
        table = pa.concat_tables(runs)
        numbers = table.column("number").to_numpy()
        table = table.set_column(0, "number", pa.array(order_of[numbers]))
        return _added_up(table.filter(pa.array(counted[numbers])))

    def wrong(self, sums: pa.Table) -> dict[int, str]:
        """Return what to say about those that do not add up, by number."""
        paid, most = pc.fill_null(sums.column("paid"), 0), sums.column("most")
        differs = pc.or_(pc.not_equal(paid, most.cast(paid.type)), pc.not_equal(sums.column("least"), most))
        return {row["number"]: self._message(row) for row in sums.filter(pc.fill_null(differs, False)).to_pylist()}

    def finding(self, line: int, message: str) -> Finding:
        """Return what is wrong with the order that begins on a line."""
        return Finding(line, self._column, self._group.total_code, message)

    def _message(self, row: dict[str, object]) -> str:
        name = self._group.key[-1]
        if row["least"] != row["most"]:
            return f"The lines of this {name} say different totals: {row['least']} and {row['most']}. Write one."
        return (
            f"The lines of this {name} add up to {row['paid'] or 0}, and the order says {row['most']}. Correct what is "
            "wrong, or leave out the order's total."
        )


def _added_up(table: pa.Table) -> pa.Table:
    sums = table.group_by("number").aggregate(_STATED)
    return sums.select(["number", *(f"{column}_{how}" for column, how in _STATED)]).rename_columns(table.column_names)
