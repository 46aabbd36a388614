"""What every list can be asked for, as it stands in an address: filters, and a page that is known by its last line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PAGE_SIZE = 50
LARGEST_PAGE = 200
LARGEST_ID = 2**63 - 1


def left_out(value: Any) -> Any:
    """Take an empty field of a form as one that was left out."""
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None, BeforeValidator(left_out)]
Day = Annotated[date | None, BeforeValidator(left_out)]
Number = Annotated[Annotated[int, Field(ge=1, le=LARGEST_ID)] | None, BeforeValidator(left_out)]
Size = Annotated[int, Field(ge=1, le=LARGEST_PAGE)]
Direction = Annotated[Literal["inbound", "outbound"] | None, BeforeValidator(left_out)]


class ListFilter(BaseModel):
    """Filters that every list of files or entries has.

    Attributes:
        before: Only what is older than this number: the next page begins after the last line of this one.
        size: Lines on a page.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    connection: Text = Field(default=None, description="Only this connection.")
    program: Text = Field(default=None, description="Only this program.")
    search: Text = Field(default=None, description="Text to look for.")
    since: Day = Field(default=None, description="First day, UTC.")
    until: Day = Field(default=None, description="Last day, UTC.")
    before: Number = Field(default=None, description="Only what is older than this number.")
    size: Size = Field(default=PAGE_SIZE, description="Lines on a page.")
