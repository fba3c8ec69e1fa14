"""What a release is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import click

from wherry.cli import show
from wherry.cli.commands.releases import one as one_release
from wherry.cli.common import app_option, client, json_option

_MOST_LICENCES = 20


@click.command("sbom")
@click.argument("release", required=False)
@app_option
@click.option("-s", "--summary", is_flag=True, help="Counts instead of the list.")
@json_option
def sbom(app: str, release: str | None, summary: bool, as_json: bool) -> None:
    """List what the image of RELEASE is made of: v12 or 12; the newest when absent.

    With --json one CycloneDX document, for scanners: wherry sbom --json > sbom.cdx.json
    """
    api = client()
    found = one_release(api, app, release)
    document: dict[str, Any] = api.get("apps", app, "releases", f"v{found['version']}", "sbom")
    if as_json:
        show.data(document)
        return
    components: list[dict[str, Any]] = document["components"]
    show.title(f"{app} v{found['version']}: {len(components)} components")
    if summary:
        _summary(components)
    else:
        show.table([_row(each) for each in components])
    for name, value in _facts(document["metadata"]["component"]):
        if name == "wherry:base":
            show.warn(f"The base image {show.safe(value)}.")
        elif name == "wherry:unread":
            show.warn(f"Not CycloneDX, so not among these; it is in the image: {show.safe(value)}")


def _summary(components: list[dict[str, Any]]) -> None:
    origins = Counter(_origin(each) for each in components)
    licences = Counter(name for each in components for name in _licences(each) or ["not known"])
    show.table([(count, origin) for origin, count in origins.most_common()])
    show.title("Licences")
    show.table([(count, name) for name, count in licences.most_common(_MOST_LICENCES)])
    if (more := len(licences) - _MOST_LICENCES) > 0:
        show.talk(f"and {more} more, which are rarer; all of them: wherry sbom --json")


def _row(component: Mapping[str, Any]) -> tuple[object, ...]:
    group = f"{component['group']}/" if component.get("group") else ""
    licences = ", ".join(_licences(component)) or "-"
    return f"{group}{component['name']}", component.get("version", ""), _origin(component), licences


def _origin(component: Mapping[str, Any]) -> str:
    found = next((value for name, value in _facts(component) if name == "wherry:origin"), "")
    return f"{found} (build only)" if component.get("scope") == "excluded" else found


def _facts(component: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(each["name"], each["value"]) for each in component.get("properties", [])]


def _licences(component: Mapping[str, Any]) -> list[str]:
    found = []
    for each in component.get("licenses", []):
        licence = each.get("license", {})
        found.append(each.get("expression") or licence.get("id") or licence.get("name"))
    return found
