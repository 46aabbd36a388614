"""A spec written as YAML that applies back to the same revision."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from data_connections.spec import ConnectionSpec


def to_yaml(spec: ConnectionSpec) -> str:
    """Return the YAML of ``spec``, without the fields that are at their defaults."""
    return content_to_yaml(spec.model_dump(mode="json", exclude_defaults=True))


def content_to_yaml(content: Mapping[str, Any]) -> str:
    """Return a stored content as YAML, whether or not it is still a spec."""
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump(dict(content), text)
    return text.getvalue()
