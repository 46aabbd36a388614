"""The spec as a template field, so that it is seen in Airflow and a change of it makes a new DAG version."""

from __future__ import annotations

from typing import Any

from airflow.sdk.definitions._internal.templater import LiteralValue

from data_connections.spec import ConnectionSpec


class RenderedSpec(LiteralValue):
    """A spec that is shown as it is: nothing that a person wrote into it runs as a template."""

    @classmethod
    def of(cls, spec: ConnectionSpec) -> RenderedSpec:
        """Return what of ``spec`` differs from the defaults, as plain JSON values."""
        return cls(spec.model_dump(mode="json", exclude_defaults=True))

    def serialize(self) -> dict[str, Any]:
        """Return the mapping for the serialized DAG."""
        return self.value
