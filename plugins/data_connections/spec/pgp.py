"""OpenPGP of a connection: what has to be encrypted or signed, and whose keys are used."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_KEYS = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]


class InboundPgp(BaseModel):
    """How inbound files are protected by OpenPGP; a file that is not, as it says here, is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    credentials: _KEYS = Field(description="Name of the keys, kept apart from the spec like a login.")
    encrypted: bool = Field(default=True, description="Files are encrypted for one of our keys.")
    signed: bool = Field(default=False, description="Files are signed by one of the partner's keys.")

    @model_validator(mode="after")
    def _of_use(self) -> Self:
        if not (self.encrypted or self.signed):
            raise ValueError("encrypted, signed or both; leave pgp out where files are neither")
        return self


class OutboundPgp(BaseModel):
    """How outbound files are protected by OpenPGP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    credentials: _KEYS = Field(description="Name of the keys, kept apart from the spec like a login.")
    encrypt: bool = Field(default=True, description="Encrypt for every valid key of the partner.")
    sign: bool = Field(default=False, description="Sign with our first valid key.")
    armor: bool = Field(default=False, description="Write text (ASCII armor) in place of bytes.")

    @model_validator(mode="after")
    def _of_use(self) -> Self:
        if not (self.encrypt or self.sign):
            raise ValueError("encrypt, sign or both; leave pgp out where files are neither")
        return self
