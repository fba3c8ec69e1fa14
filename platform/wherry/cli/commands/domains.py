"""Custom domains: list, add, show, wait for the proof, remove."""

from __future__ import annotations

import time
from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, json_option

_PAUSE = 10.0  # the platform asks DNS no more often than this


@click.command("domains")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List the names under which the app answers."""
    found = client().pages("apps", app, "domains")
    if as_json:
        show.data(found)
        return
    show.title(f"{app} Domain")
    show.line(show.safe(found[0]["hostname"]))
    if custom := [each for each in found if each["kind"] == "custom"]:
        show.line("")
        show.title(f"{app} Custom Domains")
        rows = [(each["hostname"], "CNAME", each["cname"], _status(each)) for each in custom]
        show.table(rows, ("Domain Name", "DNS Record Type", "DNS Target", "Status"))


def _status(domain: dict[str, Any]) -> str:
    return f"{domain['status']}, in doubt" if domain.get("doubted_at") else str(domain["status"])


@click.command("domains:add")
@click.argument("hostname")
@click.option("--wait", is_flag=True, help="Wait until the TXT record is seen.")
@app_option
@json_option
def add(app: str, hostname: str, wait: bool, as_json: bool) -> None:
    """Let the app answer at HOSTNAME (www.example.org, or *.example.org), once DNS proves that it is yours."""
    api = client()
    with show.action(f"Adding {show.safe(hostname)} to {app}"):
        found = api.post("apps", app, "domains", body={"hostname": hostname})
    if found["status"] == "pending":
        _tell_proof(app, found)
        if wait:
            found = _waited(api, app, found["hostname"])
    if as_json:
        show.data(found)
    elif found["status"] == "succeeded":
        show.talk(f"{show.safe(found['hostname'])} answers. Lead it here in DNS: CNAME {show.safe(found['cname'])}")


@click.command("domains:info")
@click.argument("hostname")
@app_option
@json_option
def info(app: str, hostname: str, as_json: bool) -> None:
    """Show one domain; one that waits for its proof is looked after again."""
    found = client().get("apps", app, "domains", hostname)
    if as_json:
        show.data(found)
        return
    proof = found["proof"] or {}
    facts = [
        ("Hostname", found["hostname"]),
        ("Status", found["status"]),
        ("DNS Target", found["cname"] or "itself"),
        ("TXT Record", f"{proof['name']} {proof['value']}" if proof else ""),
        ("Waits For" if found["status"] == "pending" else "In Doubt", found["reason"] or ""),
    ]
    show.pairs([fact for fact in facts if fact[1]])


@click.command("domains:wait")
@click.argument("hostname", required=False)
@app_option
def wait(app: str, hostname: str | None) -> None:
    """Wait until the TXT record of HOSTNAME, or of every domain that waits, is seen."""
    api = client()
    names = [each["hostname"] for each in api.pages("apps", app, "domains") if each["status"] == "pending"]
    if not hostname and not names:
        show.talk(f"No domain of {app} waits for anything.")
    for name in [hostname] if hostname else names:
        _waited(api, app, name)


@click.command("domains:remove")
@click.argument("hostname")
@app_option
def remove(app: str, hostname: str) -> None:
    """Let the app answer at HOSTNAME no more."""
    with show.action(f"Removing {show.safe(hostname)} from {app}"):
        client().delete("apps", app, "domains", hostname)


@click.command("domains:clear")
@app_option
def clear(app: str) -> None:
    """Remove all custom domains."""
    api = client()
    for each in api.pages("apps", app, "domains"):
        if each["kind"] == "custom":
            with show.action(f"Removing {show.safe(each['hostname'])} from {app}"):
                api.delete("apps", app, "domains", each["id"])


def _tell_proof(app: str, found: dict[str, Any]) -> None:
    proof = found["proof"]
    show.talk("It answers once this record of its DNS is seen:")
    show.talk(f'    {show.safe(proof["name"])}  TXT  "{show.safe(proof["value"])}"')
    show.talk(f"To wait for it: wherry domains:wait {show.safe(found['hostname'])} -a {app}")


def _waited(api: Client, app: str, hostname: str) -> dict[str, Any]:
    """No event tells of a record of somebody's DNS, so ask."""
    said = ""
    with show.action(f"Waiting for {show.safe(hostname)}"):
        while True:
            found: dict[str, Any] = api.get("apps", app, "domains", hostname)
            if found["status"] == "succeeded":
                return found
            if found["reason"] != said:
                said = found["reason"]
                show.talk(f"\n{show.safe(said)}")
            time.sleep(_PAUSE)
