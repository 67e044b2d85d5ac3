"""The page of the REST interface, made from ``gcs_lab/server/openapi.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["rest_page"]


def rest_page(document: Path) -> str:
    """Return the page, in markdown.

    Parameters
    ----------
    document
        The OpenAPI document.
    """
    api: dict[str, Any] = json.loads(document.read_text())
    lines = [
        "# REST interface of the server extension",
        "",
        "Made from `gcs_lab/server/openapi.json`, which the server also gives at `gcs-lab/api/openapi.json`.",
        "What is behind it, the WebSocket and the errors are told in [the server extension](../server.md).",
        "",
        api["info"]["description"].replace("docs/server.md", "[the server extension](../server.md)"),
        "",
        f"All paths are below `{api['servers'][0]['url']}`, where `base` is the server's base URL.",
        "Each needs the server's token or cookie.",
        "",
        "| method | path | |",
        "|---|---|---|",
    ]
    operations = [(verb, path, told) for path, item in api["paths"].items() for verb, told in _verbs(item)]
    for verb, path, told in operations:
        lines.append(f"| {verb.upper()} | [`{path}`](#{_anchor(told)}) | {_escaped(told['summary'])} |")
    for verb, path, told in operations:
        shared = [_resolved(api, one) for one in api["paths"][path].get("parameters", [])]
        lines += ["", f"({_anchor(told)})=", f"## {verb.upper()} `{path}`", "", _escaped(told["summary"]), ""]
        lines += _parameters([*shared, *told.get("parameters", [])])
        body = told.get("requestBody")
        if body:
            lines += ["Body:", "", *_schema(api, body)]
        for status, answer in told["responses"].items():
            if status != "default" and "content" in answer:
                lines += [f"Answer ({status}):", "", *_schema(api, answer)]
    lines += ["", "## Refusals", "", "Every other status has this body:", ""]
    lines += _fields(api["components"]["schemas"]["Problem"])
    return "\n".join(lines) + "\n"


def _verbs(item: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(verb, told) for verb, told in item.items() if isinstance(told, dict) and "operationId" in told]


def _anchor(told: dict[str, Any]) -> str:
    return str(told["operationId"]).replace("_", "-")


def _resolved(api: dict[str, Any], thing: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in thing:
        return thing
    found: Any = api
    for part in thing["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _parameters(parameters: list[dict[str, Any]]) -> list[str]:
    if not parameters:
        return []
    rows = [
        f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} | {_escaped(one.get('description', ''))} |"
        for one in parameters
    ]
    return ["| parameter | in | type | |", "|---|---|---|---|", *rows, ""]


def _schema(api: dict[str, Any], holder: dict[str, Any]) -> list[str]:
    content = next(iter(holder["content"].values()))
    schema = _resolved(api, content.get("schema", {}))
    if schema.get("properties"):
        return _fields(schema)
    return [f"{_type(schema)}", ""]


def _fields(schema: dict[str, Any]) -> list[str]:
    needed = set(schema.get("required", []))
    rows = [
        f"| `{name}` | {_type(field)} | {'always' if name in needed else 'may be missing'} |"
        for name, field in schema["properties"].items()
    ]
    return ["| field | type | |", "|---|---|---|", *rows, ""]


def _type(schema: dict[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        words = f"`{schema['$ref'].rpartition('/')[2]}`"
    elif "enum" in schema:
        words = " \\| ".join(f"`{value}`" for value in schema["enum"])
    elif "anyOf" in schema or "oneOf" in schema:
        words = " or ".join(_type(one) for one in schema.get("anyOf", schema.get("oneOf", [])))
    elif isinstance(schema.get("type"), list):
        words = " or ".join(schema["type"])
    elif schema.get("type") == "array":
        words = f"list of {_type(schema.get('items', {}))}"
    elif schema.get("properties"):
        words = "record of " + ", ".join(f"`{name}`" for name in schema["properties"])
    else:
        words = str(schema.get("type", "anything"))
    if "minimum" in schema and "maximum" in schema:
        words += f" ({schema['minimum']} to {schema['maximum']})"
    if "default" in schema and schema["default"] is not None:
        words += f", usually `{schema['default']}`"
    return words


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")
