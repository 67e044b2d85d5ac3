"""The OpenAPI document of the REST interface, made from what stands beside each handler.

``python -m gcs_lab.server.openapi`` writes ``openapi.json``; a test holds that it is what the routes say.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gcs_lab.server.about_routes import DOCUMENT
from gcs_lab.server.openapi_types import TEXT, record
from gcs_lab.server.operation import PATH_PARAMETERS
from gcs_lab.server.routes import api_routes

if TYPE_CHECKING:
    from gcs_lab.server.operation import Operation

__all__ = ["document", "document_text"]

_VERBS = ("get", "post", "put", "patch", "delete")
_PROBLEM = "#/components/schemas/Problem"


def document() -> dict[str, Any]:
    """Return the document (OpenAPI 3.1). It is of the interface's version, not of the package's."""
    paths: dict[str, Any] = {}
    for path, handler in api_routes():
        verbs = {verb: getattr(getattr(handler, verb), "operation", None) for verb in _VERBS}
        found: dict[str, Any] = {
            verb: _described(path, verb, told) for verb, told in verbs.items() if told is not None
        }
        names = re.findall(r"\{(\w+)\}", path)
        if names:
            found["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
        paths[f"/{path}"] = found
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gcs_lab's server extension",
            "version": "1",
            "description": "Clusters, their jobs and their accounting, of the user who runs the Jupyter server. What "
            "lives comes over the WebSocket `channels` (docs/server.md).",
        },
        "servers": [{"url": "{base}gcs-lab/api", "variables": {"base": {"default": "/"}}}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "parameters": {
                name: {"name": name, "in": "path", "required": True, "schema": schema, "description": text}
                for name, (schema, text) in PATH_PARAMETERS.items()
            },
            "schemas": {"Problem": record({"field": TEXT}, message=TEXT, type=TEXT)},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token …`, as everywhere in Jupyter.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "username-{host}-{port}",
                    "description": "Of a page; what changes something has the header X-XSRFToken besides.",
                },
            },
        },
    }


def _described(path: str, verb: str, told: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": {"description": "It was done.", "content": {told.media: {"schema": told.answer}}},
        "default": {
            "description": "It was refused, and why.",
            "content": {"application/json": {"schema": {"$ref": _PROBLEM}}},
        },
    }
    answers |= {str(status): {"description": text} for status, text in told.also.items()}
    found: dict[str, Any] = {
        "operationId": f"{verb}_" + re.sub(r"\W+", "_", path).strip("_"),
        "summary": told.summary,
        "responses": dict(sorted(answers.items())),
    }
    if told.query:
        found["parameters"] = [
            {
                "name": query.name,
                "in": "query",
                "required": query.default is ...,
                "schema": query.schema | ({} if query.default in (..., None) else {"default": query.default}),
                **({"description": query.help} if query.help else {}),
            }
            for query in told.query
        ]
    if told.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": told.body}}}
    return found


def document_text() -> str:
    """Return the document as the file has it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document_text(), encoding="utf-8")
