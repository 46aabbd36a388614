"""YAML files read with the line of every value, so that a mistake can be shown where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from data_connections.errors import ConfigurationError

_MOST_VALUES = 100_000

Place = tuple[Any, ...]
"""Where a value stands in a file: keys and 0-based indexes, outermost first."""


class _Constructor(RoundTripConstructor):
    """Leaves dates to the models, which say better what is wrong with one."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


@dataclass(frozen=True)
class Source:
    """A YAML file and its content, with the line numbers that ruamel.yaml keeps."""

    path: Path
    content: Any

    @classmethod
    def read(cls, path: Path, *, holds: str) -> Source:
        """Read a file that holds a mapping; an empty file holds an empty one.

        Args:
            path: The file.
            holds: What should stand in it, for the message: ``one connection``.

        Raises:
            ConfigurationError: It cannot be read, with the line.
        """
        content = _parse(path) or {}
        if not isinstance(content, Mapping):
            raise ConfigurationError(f"This file must hold {holds}, as `key: value` lines.", path=path, line=1)
        return cls(path, content)

    def plain(self) -> dict[str, Any]:
        """Return the content without line numbers and comments."""
        plain: dict[str, Any] = _plain(self.content)
        return plain

    def line(self, place: Place) -> int | None:
        """Return the 1-based line of a place, or None when the file does not hold it."""
        node, line = self.content, None
        for step in place:
            marks = getattr(node, "lc", None)
            try:
                line = (marks.key(step) if isinstance(node, Mapping) else marks.item(step))[0] + 1  # type: ignore[union-attr]
                node = node[step]
            except (KeyError, IndexError, TypeError, AttributeError):
                return None
        return line


def find(sources: Sequence[Source], place: Place) -> tuple[Path | None, int | None]:
    """Return file and line of the first source that holds ``place``, else of what it would stand in."""
    for end in range(len(place), 0, -1):
        for source in sources:
            line = source.line(place[:end])
            if line is not None:
                return source.path, line
    return (sources[0].path if sources else None), None


def mistake_at(
    sources: Sequence[Source], place: Place, message: str, suggestion: str | None = None
) -> ConfigurationError:
    """Return the mistake at ``place``, with its file and line."""
    path, line = find(sources, place)
    field = ".".join(str(step) for step in place) or None
    return ConfigurationError(message, path=path, line=line, field=field, suggestion=suggestion)


def _parse(path: Path) -> Any:
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"))
        _plain(content)
    except MarkedYAMLError as unreadable:
        mark = unreadable.problem_mark or unreadable.context_mark
        reason = str(unreadable.problem or unreadable.context or "unknown reason").splitlines()[0]
        line = mark.line + 1 if mark else None
        raise ConfigurationError(f"This is not readable YAML: {reason}.", path=path, line=line) from unreadable
    except UnicodeDecodeError as unreadable:
        raise ConfigurationError("This file is not UTF-8 text; save it as UTF-8.", path=path) from unreadable
    except OSError as unreadable:
        raise ConfigurationError(f"This file cannot be read: {unreadable.strerror}.", path=path) from unreadable
    except (YAMLError, ValueError, RecursionError) as unreadable:
        reason = str(unreadable).splitlines()[0]
        raise ConfigurationError(f"This is not readable YAML: {reason}.", path=path) from unreadable
    return content


def _plain(content: Any, budget: Iterator[int] | None = None) -> Any:
    """Return a content without line numbers; one that aliases blow up without end is a ValueError."""
    budget = iter(range(_MOST_VALUES)) if budget is None else budget
    if next(budget, None) is None:
        raise ValueError(f"it has more than {_MOST_VALUES:,} values, counting those that aliases repeat")
    if isinstance(content, Mapping):
        return {str(key): _plain(value, budget) for key, value in content.items()}
    if isinstance(content, list):
        return [_plain(value, budget) for value in content]
    return content
