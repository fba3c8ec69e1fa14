"""The OpenAPI document (version 3.1) of the routes that are given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wherry.api.openapi.notation import TEXT, Schema, named
from wherry.api.openapi.objects import OBJECTS
from wherry.api.openapi.operations import OPERATIONS

_PART = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_ERROR: Schema = {"description": "An error", "content": {"application/json": {"schema": named("Error")}}}
_TOKEN: Schema = {"type": "http", "scheme": "bearer", "description": "A token, as wherry auth:token prints one."}
_INFO = "Heroku's Platform API v3 as far as this platform has it, and its own additions. Words: docs/api.md."


@dataclass(frozen=True)
class Path:
    """One route: `summary` in a line; `open`: without a token."""

    method: str
    path: str
    summary: str
    open: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def document(routes: Iterable[Path], version: str, server: str) -> Schema:
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        template = _PART.sub(r"{\1}", route.path)
        paths.setdefault(template, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wherry", "version": version, "description": _INFO},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": OBJECTS, "securitySchemes": {"token": _TOKEN}},
        "security": [{"token": []}],
    }


def _operation(route: Path) -> Schema:
    known = OPERATIONS[route.name]
    responses: Schema = {str(status): _response(schema) for status, schema in known.answers.items()}
    shown: Schema = {
        "operationId": re.sub(r"[^a-z]+", "_", route.name.lower()).strip("_"),
        "summary": route.summary,
        "responses": {**responses, "default": _ERROR},
    }
    if names := _PART.findall(route.path):
        shown["parameters"] = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    if known.takes is not None and route.method not in ("GET", "DELETE"):
        shown["requestBody"] = {"content": {"application/json": {"schema": known.takes}}, "required": False}
    if route.open:
        shown["security"] = []
    return shown


def _response(schema: Schema | None) -> Schema:
    if schema is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": schema}}}
