"""The reference of spec fields for people, made from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from data_connections.spec.connection import CONNECTION_SPEC, KINDS
from data_connections.spec.schedule import ON_REQUEST, PRESETS

_INTRODUCTION = """# Configuration

<!-- Made by `make docs` from the models in plugins/data_connections/spec: change the descriptions there. -->

A connection is one YAML file in a folder that `connections apply -f FOLDER` reads. Worked examples are in
[include/connections](../include/connections/).

* What a file leaves out, it takes from `_defaults.yaml` in the same folder, also inside `details` and other groups.
* `${NAME}` takes a value from the environment where `connections apply` runs; `${NAME:-default}` has one to fall
  back on.
* Secrets never stand in YAML: `credentials` names a login that `connections credentials set` stores.
* `connections schema > connections.schema.json` writes the JSON Schema by which editors complete and check the files;
  name it in a file's first line: `# yaml-language-server: $schema=connections.schema.json`.
* Times of a length are ISO 8601 (`PT5M` is five minutes) or seconds.

## Applying a folder

`connections apply -f FOLDER` compares the folder with the ledger, shows what differs and makes it so, all or nothing;
`--dry-run` only shows. A changed connection becomes a new numbered revision, and every change stands in the activity
log. Mistakes are all shown, with file, line and field, and then nothing is changed.

* A connection belongs to what made it: the folder's name, or `--source NAME`. `--prune` deletes the connections of the
  same source that the folder no longer holds, and no others. Deleting takes the DAG away and keeps all data; applied
  again, the connection comes back with its history.
* What another source made or changed is not overwritten, but with `--take-over`.
* A connection that gets another `name` and says `renamed_from: old-name` keeps its history and its files.
* `connections export -o FOLDER` writes the files that make the connections that are there.

"""
_SECTIONS = {
    "InboundSftpDetails": ("details", "of an inbound connection by SFTP"),
    "InboundFtpDetails": ("details", "of an inbound connection by FTP or FTPS"),
    "InboundMailboxDetails": ("details", "of an inbound connection by e-mail"),
    "OutboundSftpDetails": ("details", "of an outbound connection by SFTP"),
    "InboundHostedDetails": ("details", "of an inbound connection whose partner pushes to our gateway"),
    "InboundHostedMailDetails": ("details", "of an inbound connection whose partner mails to our gateway"),
    "OutboundMailDetails": ("details", "of an outbound connection by e-mail"),
    "OutboundHostedDetails": ("details", "of an outbound connection whose partner pulls from our gateway"),
    "OutboundFtpDetails": ("details", "of an outbound connection by FTP or FTPS"),
    "Arrival": ("arrival", ""),
    "ExpectedFiles": ("expects[]", "of an inbound connection"),
    "ExpectedDelivery": ("expects[]", "of an outbound connection"),
    "FileFormat": ("format", "of an inbound connection"),
    "ColumnMapping": ("mapping", ""),
    "Source": ("mapping.columns.NAME", ""),
    "Numbers": ("mapping.numbers", ""),
    "Limits": ("limits", ""),
    "HoldIf": ("limits.hold_if", ""),
    "Dataset": ("dataset", ""),
    "Suite": ("expectations", ""),
    "Expectation": ("expectations.rows[]", "and `expectations.file[]`"),
    "OutputFormat": ("format", "of an outbound connection"),
    "Packaging": ("packaging", ""),
    "Covers": ("covers", ""),
    "Contacts": ("contacts", ""),
    "Alerts": ("alerts", ""),
}


def reference() -> str:
    """Return the whole reference as Markdown; the same models give the same text."""
    schema = CONNECTION_SPEC.json_schema()
    models: Mapping[str, Any] = schema["$defs"]
    inbound, outbound = models["InboundSftp"], models["OutboundSftp"]
    shared = [name for name in inbound["properties"] if name in outbound["properties"] and name != "format"]
    parts = [_INTRODUCTION, "## Every connection\n\n", *_table(_kinds(inbound, outbound, shared), models)]
    for title, model in (("Inbound", inbound), ("Outbound", outbound)):
        own = {name: field for name, field in model["properties"].items() if name not in shared}
        parts.append(f"\n## {title} connections\n\nThese fields are for `direction: {title.lower()}` alone.\n\n")
        parts += _table({**model, "properties": own}, models)
    for name, (place, which) in _SECTIONS.items():
        parts.append(f"\n## `{place}`{' ' + which if which else ''}\n\n{_text(models[name])}\n\n")
        parts += _table(models[name], models)
    return "".join([*parts, *_schedules()])


def _kinds(inbound: Mapping[str, Any], outbound: Mapping[str, Any], shared: list[str]) -> dict[str, Any]:
    """Return the shared fields; where the kinds differ, both kinds' values."""
    both = {name: dict(inbound["properties"][name]) for name in shared}
    directions = [kind["properties"]["direction"]["const"] for kind in (inbound, outbound)]
    both["direction"] = {"enum": directions, "description": _TELLS["direction"]}
    both["methodology"] = {"enum": ["pull", "push"], "description": _TELLS["methodology"]}
    both["credentials"] = {"type": "string", "description": _TELLS["credentials"]}
    methods = dict.fromkeys(key.split("_")[1] for key in KINDS)
    both["method"] = {"enum": list(methods), "description": _TELLS["method"]}
    both["details"] = {"description": "Where the files are, and what happens to them there: one of those below."}
    both["expects"]["description"] = _TELLS["expects"]
    return {"properties": both, "required": inbound["required"]}


_LEFT_OUT = {"name": "the file's name"}
_TELLS = {
    "expects": "Files that have to be there, or reports that have to be delivered, by a time of day; else people are "
    "told.",
    "direction": "`inbound` takes files in, `outbound` sends reports out.",
    "method": "How files travel.",
    "methodology": "Inbound: `pull`, the usual one, fetches from the partner's server; with `push` the partner puts "
    "files into a folder at our gateway, or mails them to an address there. Outbound: `push`, the usual one, sends to "
    "the partner's server; with `pull` the partner collects reports from our gateway.",
    "credentials": "Name of the login at the partner's server, kept apart from the spec; never the secret itself. "
    "Required but for a folder at our gateway, whose logins `connections gateway create-login` makes.",
}


def _table(model: Mapping[str, Any], models: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | value | left out | |\n|---|---|---|---|\n"
    for name, field in model["properties"].items():
        left_out = _LEFT_OUT.get(name) or ("**required**" if name in model.get("required", ()) else _default(field))
        yield f"| `{name}` | {_cell(_kind(field, models))} | {_cell(left_out)} | {_cell(_text(field))} |\n"


def _text(node: Mapping[str, Any]) -> str:
    return str(node.get("description", "")).replace("``", "`").strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, "", [], {}) or isinstance(default, dict) else f"`{_plain(default)}`"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _kind(node: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Return in words what values a field takes."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"group: see `{_SECTIONS[name][0]}`" if name in _SECTIONS else _kind(models[name], models)
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(_kind(each, models) for each in node["anyOf"] if each.get("type") != "null"))
    if "enum" in node:
        return ", ".join(f"`{_plain(value)}`" for value in node["enum"])
    if "const" in node:
        return f"`{_plain(node['const'])}`"
    if node.get("type") == "array":
        return f"list of {_kind(node.get('items', {}), models)}"
    if node.get("type") == "object":
        values = node.get("additionalProperties")
        return f"map to {_kind(values, models)}" if isinstance(values, dict) else "map"
    return _scalar(node)


def _scalar(node: Mapping[str, Any]) -> str:
    names = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    kind = {"date": "date", "time": "time of day", "duration": "length of time"}.get(
        str(node.get("format")), names.get(str(node.get("type")), "group")
    )
    limits = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
    said = [f"{words} {node[name]:,}" for name, words in limits.items() if name in node]
    return ", ".join([kind, *said])


def _schedules() -> Iterator[str]:
    yield "\n## Schedules\n\nA cron line of five fields in the connection's time zone, or one of these:\n\n"
    yield "| schedule | cron line |\n|---|---|\n"
    for name, line in PRESETS.items():
        yield f"| `{name}` | `{line.format(minute='M', hour='H')}` |\n"
    yield f"| `{ON_REQUEST}` | none: it runs only when somebody starts it |\n\n"
    yield "Minute M (0 to 59) and hour H (1 to 4) are spread by the connection's name, so that not all run at once.\n"
