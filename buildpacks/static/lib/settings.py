"""Prints the settings of static.json and project.toml's [io.wherry.static] as shell assignments; on a fault an error
for the pusher, with exit code 65."""

import json
import shlex
import sys
import tomllib
from pathlib import Path

NAMES = {"root": str, "spa": bool, "clean_urls": bool, "error_page": str}


def main():
    settings = {}
    for file, read in (("static.json", heroku), ("project.toml", project)):
        try:
            with Path(file).open("rb") as content:
                settings |= read(content)
        except FileNotFoundError:
            continue
        except (ValueError, AttributeError, RecursionError) as error:
            refuse(f"{file} cannot be read: {error}")
    lines = []
    for name, kind in NAMES.items():
        value = settings.get(name, kind())
        if not isinstance(value, kind) or "\n" in str(value):
            refuse(f"{name} is not {'a text' if kind is str else 'true or false'}")
        lines.append(f"{name}={shlex.quote('true' if value is True else value or '')}")
    print("\n".join(lines))


def heroku(content):
    given = json.load(content)
    routes = given.get("routes", {})
    return {
        "root": given.get("root", ""),
        "clean_urls": given.get("clean_urls", False),
        "error_page": given.get("error_page", ""),
        "spa": routes.get("/**") in ("index.html", "/index.html"),
    }


def project(content):
    table = tomllib.load(content).get("io", {}).get("wherry", {}).get("static", {})
    return {name.replace("-", "_"): value for name, value in table.items()}


def refuse(what):
    print(f" !     {what}")
    sys.exit(65)


main()
