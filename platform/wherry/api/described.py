"""/openapi.json: this API, described for programs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.openapi import document
from wherry.api.openapi.document import Path
from wherry.api.openapi.notation import Schema
from wherry.api.routes.table import Route

PATH = "/openapi.json"


def add_route(api: Flask, routes: Sequence[Route]) -> None:
    """Open to all: it tells what docs/api.md tells."""

    def show() -> ResponseReturnValue:
        return jsonify(describe(routes, request.host_url.rstrip("/")))

    api.add_url_rule(PATH, f"GET {PATH}".replace(".", " "), show, methods=["GET"], provide_automatic_options=False)


def describe(routes: Sequence[Route], server: str) -> Schema:
    paths = [Path(each.method, each.path, _summary(each.function.__doc__), each.needs is None) for each in routes]
    return document(paths, metadata.version("wherry"), server)


def _summary(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0].strip()
