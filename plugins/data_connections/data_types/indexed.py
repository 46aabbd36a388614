"""The items of one row in numbered columns, such as ItemSku1 and ItemSku2: which column means what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

MIXED = "ITEM_FORMS_MIXED"
_ITEM_NUMBER = re.compile(r"\[([0-9]+)\]$")
_OWN_NUMBER = re.compile(r"([A-Za-z]+)([0-9]{1,3})")


class IndexedItems(BaseModel):
    """Numbered columns that are spread over one row for each item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, tuple[str, ...]] = Field(
        min_length=1, description="Column of an item, and what its numbered columns may be called before the number."
    )
    numbered: tuple[str, ...] = Field(
        default=(), description="Columns of an item that are numbered themselves: `ItemText2_1` is ItemText1 of item 2."
    )
    totals: Mapping[str, str] = Field(
        default_factory=dict,
        description="Columns that beside the items of a row are about all of them, and the column that they are then: "
        "`{Amount: OrderTotal}`.",
    )

    def meant(self, name: str) -> tuple[str, int] | None:
        """Return the column and the number of the item that a header cell means; None for any other cell."""
        found = self._expression.fullmatch(name.strip())
        if found is None:
            return None
        word, item, own = found["word"] or found["own_word"], found["item"] or found["own_item"], found["own"]
        return (self._words[word.casefold()] + (own or ""), int(item)) if int(item) else None

    def nested(self, path: str) -> tuple[str, int] | None:
        """Return the column and the number of the item that an element inside a row means; None for any other.

        Args:
            path: Of the element, such as `items/item[2]/sku`; an attribute stands after `@`.
        """
        *outer, name = path.strip().replace("@", "/").split("/")
        column = self._single_word(name)
        numbers = [int(found[1]) for part in outer if (found := _ITEM_NUMBER.search(part))]
        if not outer or column is None:
            return None
        return column, 0 if len(numbers) > 1 else max(numbers, default=1)

    def _single_word(self, name: str) -> str | None:
        """Return the column of an item that an element of its own means."""
        own = _OWN_NUMBER.fullmatch(name)
        known = self._words.get(own[1].casefold()) if own else None
        if own and known in self.numbered:
            return f"{known}{own[2]}"
        return {column.casefold(): column for column in self.columns}.get(name.casefold()) or self._item_word(name)

    def _item_word(self, name: str) -> str | None:
        column = self._words.get(name.casefold())
        return column if column in self.columns else None

    @cached_property
    def _words(self) -> dict[str, str]:
        words = {word.casefold(): column for column, words in self.columns.items() for word in words}
        return words | {word.casefold(): word for word in self.numbered}

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        words = "|".join(re.escape(word) for names in self.columns.values() for word in names)
        own = "|".join(map(re.escape, self.numbered)) or "(?!)"
        number = "[0-9]{1,4}"
        return re.compile(
            rf"(?P<word>{words})(?P<item>{number})|(?P<own_word>{own})(?P<own_item>{number})_(?P<own>[0-9]{{1,3}})",
            re.IGNORECASE,
        )
