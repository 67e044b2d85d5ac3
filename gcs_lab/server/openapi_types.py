"""The words that routes describe their answers, bodies and parameters with: JSON Schema, as OpenAPI 3.1 takes it."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BOOLEAN",
    "COUNT",
    "INTEGER",
    "NUMBER",
    "TEXT",
    "Schema",
    "by_name",
    "choice",
    "list_of",
    "nullable",
    "record",
    "text",
]

Schema = dict[str, Any]

BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
#: 0 or more.
COUNT: Schema = {"type": "integer", "minimum": 0}
#: Of an answer; what is asked has a bound: :func:`text`.
TEXT: Schema = {"type": "string"}


def text(most: int = 1000, *, least: int = 0, pattern: str = "") -> Schema:
    """Return the schema of a text of so many characters, that fits a pattern."""
    schema: Schema = {"type": "string", "maxLength": most}
    if least:
        schema["minLength"] = least
    if pattern:
        schema["pattern"] = pattern
    return schema


def choice(*values: str) -> Schema:
    """Return the schema of one of some texts."""
    return {"type": "string", "enum": list(values)}


def nullable(schema: Schema) -> Schema:
    """Return the schema of what may be null besides."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema, most: int | None = None) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema, **({} if most is None else {"maxItems": most})}


def by_name(schema: Schema) -> Schema:
    """Return the schema of an object whose fields have any names, and values of one schema."""
    return {"type": "object", "additionalProperties": schema}


def record(optional: dict[str, Schema] | None = None, /, **fields: Schema) -> Schema:
    """Return the schema of an object that has all of `fields`, may have those of `optional`, and no other."""
    return {
        "type": "object",
        "properties": {**fields, **(optional or {})},
        "required": list(fields),
        "additionalProperties": False,
    }
