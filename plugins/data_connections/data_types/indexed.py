"""The items of one row in numbered columns, such as ItemSku1 and ItemSku2: which column means what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

MIXED = "ITEM_FORMS_MIXED"


class IndexedItems(BaseModel):
    """Numbered columns that are spread over one row for each item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[str, tuple[str, ...]] = Field(
        min_length=1, description="Column of an item, and what its numbered columns may be called before the number."
    )
    numbered: tuple[str, ...] = Field(
        default=(), description="Columns of an item that are numbered themselves: `ItemText2_1` is ItemText1 of item 2."
    )

    def meant(self, name: str) -> tuple[str, int] | None:
        """Return the column and the number of the item that a header cell means; None for any other cell."""
        found = self._expression.fullmatch(name.strip())
        if found is None:
            return None
        word, item, own = found["word"] or found["own_word"], found["item"] or found["own_item"], found["own"]
        return (self._words[word.casefold()] + (own or ""), int(item)) if int(item) else None

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
