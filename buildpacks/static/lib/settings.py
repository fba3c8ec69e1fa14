"""What the app says about its files: BP_STATIC_* variables, else project.toml, else static.json. Run as a program it
prints the folder that is served, or what is wrong.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import netlify
import paths
from talk import Refusal, say_refusal, shown
from website import Header, Rule, Site

_KINDS = {"root": str, "spa": bool, "clean_urls": bool, "error_page": str, "https_only": bool}
_NOT_TAKEN = {
    "proxies": "a server of files fetches nothing from other servers: call them from the page, or add a web process",
    "basic_auth": "passwords are not asked for here, and without them the files would be open to all",
    "canonical_host": "the platform's domains decide which names lead here",
}


def read_site(env: Mapping[str, str]) -> tuple[Site, dict[str, Any]]:
    """The site without its headers and rules, and the tables of static.json for `add_rules`. Raises Refusal."""
    tables = _parsed("static.json", json.loads)
    for name in sorted(set(tables) & set(_NOT_TAKEN)):
        if tables[name]:
            raise Refusal(f"static.json: {name} is not taken", [_NOT_TAKEN[name]], f"Remove {name} from static.json.")
    project = _parsed("project.toml", tomllib.loads).get("io", {}).get("wherry", {}).get("static", {})
    values = {name: tables[name] for name in _KINDS if name in tables}
    values["spa"] = _table(tables, "routes").get("/**") in ("index.html", "/index.html")
    values |= {name.replace("-", "_"): value for name, value in project.items()}
    for name, value in values.items():
        if name not in _KINDS:
            raise Refusal(f"project.toml: [io.wherry.static] has no {shown(name)}", [f"have {', '.join(_KINDS)}"])
        if type(value) is not _KINDS[name] or "\n" in str(value):
            raise Refusal(f"{name} is not {'a text' if _KINDS[name] is str else 'true or false'}")
    site = Site(**values)
    site.root = (env.get("BP_STATIC_ROOT") or site.root).rstrip("/") or _guess()
    site.spa = env.get("BP_STATIC_SPA", str(site.spa)).lower() in ("true", "1")
    if ".." in Path(site.root).parts or site.root.startswith("/") or (env.get("BP_STATIC_ROOT") or "")[:1] == "/":
        raise Refusal(f"the root {shown(site.root)} is not a folder of the app")
    return site, tables


def add_rules(site: Site, tables: dict[str, Any]) -> None:
    """Headers and redirects of static.json, then of Netlify's files. Raises Refusal."""
    root = Path(site.root)
    if not site.error_page and (root / "404.html").is_file():
        site.error_page = "404.html"
    try:
        for path, headers in _table(tables, "headers").items():
            for name, value in headers.items():
                site.headers.append(Header(paths.heroku(path), *netlify.header_of(f"{name}: {value}")))
        for path, entry in _table(tables, "redirects").items():
            status = entry.get("status", 301)
            site.rules.append(netlify.rule(path, entry["url"], status, True, root))
        for path, file in _table(tables, "routes").items():
            if path != "/**" or not site.spa:
                pattern = paths.heroku(path)
                site.rules.append(Rule(pattern, pattern, "/" + file.lstrip("/").replace("$", "${dollar}"), 200, False))
    except (AttributeError, KeyError, TypeError, ValueError, netlify.Fault) as error:
        raise Refusal(
            "static.json has headers, redirects or routes that cannot be", [f"{shown(str(path))}: {error}"]
        ) from error
    site.headers += netlify.read_headers(root)
    site.rules += netlify.read_redirects(root)


def _table(tables: dict[str, Any], name: str) -> dict[str, Any]:
    value = tables.get(name) or {}
    if not isinstance(value, dict):
        raise Refusal(f"static.json: {name} is no table")
    return value


def _guess() -> str:
    folders = (".", "public", "dist")
    return next((folder for folder in folders if Path(folder, "index.html").is_file()), folders[-1])


def _parsed(name: str, parse: Any) -> dict[str, Any]:
    if not Path(name).is_file():
        return {}
    try:
        values = parse(Path(name).read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{name} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise Refusal(f"{name} cannot be read: it is no table")
    return values


if __name__ == "__main__":
    try:
        website, tables = read_site(os.environ)
        if (Path(website.root) / "index.html").is_file():
            add_rules(website, tables)
        print(website.root)
    except Refusal as refusal:
        sys.exit(say_refusal(refusal))
