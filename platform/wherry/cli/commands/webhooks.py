"""Webhooks: who is told by HTTPS of what happens to an app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option
from wherry.domain.webhooks import ENTITIES

_PATH = "webhooks"
_OPTIONS = (
    click.option("-i", "--include", help=f"What of, with commas between: {', '.join(ENTITIES)}."),
    click.option("-l", "--level", help="notify: each is tried once; sync: again and again."),
    click.option("-u", "--url", help="Where to: https://..."),
    click.option("-s", "--secret", help="What signs each delivery; one is made when it is missing."),
    click.option("-t", "--authorization", help="A header Authorization that goes with each delivery."),
)


def _wishes(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command("webhooks")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List who is told of what happens to the app."""
    found = client().pages("apps", app, _PATH)
    if as_json:
        show.data(found)
    elif not found:
        show.talk(f"{app} has no webhooks. To add one: wherry webhooks:add -i api:release -l notify -u URL -a {app}")
    else:
        rows = [[each["id"], each["url"], ",".join(each["include"]), each["level"], _state(each)] for each in found]
        show.table(rows, ["Webhook ID", "URL", "Include", "Level", "State"])


@click.command("webhooks:add")
@_wishes
@app_option
@json_option
def add(app: str, as_json: bool, **wishes: str | None) -> None:
    """Tell URL of what happens to the app. Prints the secret that signs it, once."""
    with show.action(f"Adding webhook to {app}"):
        answer = client().call("POST", "apps", app, _PATH, body=_body(wishes))
    secret = answer.headers.get("Heroku-Webhook-Secret", "")
    if as_json:
        show.data({**answer.body, "secret": secret})
        return
    show.title("Webhooks Signing Secret")
    show.line(show.safe(secret))


@click.command("webhooks:info")
@click.argument("webhook")
@app_option
@json_option
def info(app: str, webhook: str, as_json: bool) -> None:
    """Show one, and whether it is on."""
    found = client().get("apps", app, _PATH, webhook)
    if as_json:
        show.data(found)
        return
    show.title(found["id"])
    show.pairs(
        [
            ("Include", ",".join(found["include"])),
            ("Level", found["level"]),
            ("State", _state(found)),
            ("URL", found["url"]),
            ("Webhook ID", found["id"]),
        ]
    )


@click.command("webhooks:update")
@click.argument("webhook")
@_wishes
@app_option
@json_option
def update(app: str, webhook: str, as_json: bool, **wishes: str | None) -> None:
    """Change one; what is not named stays. One that was switched off is on again."""
    with show.action(f"Updating webhook {show.safe(webhook)} for {app}"):
        after = client().patch("apps", app, _PATH, webhook, body=_body(wishes))
    if as_json:
        show.data(after)


@click.command("webhooks:remove")
@click.argument("webhook")
@app_option
@json_option
def remove(app: str, webhook: str, as_json: bool) -> None:
    """Tell it nothing more."""
    with show.action(f"Removing webhook {show.safe(webhook)} from {app}"):
        gone = client().delete("apps", app, _PATH, webhook)
    if as_json:
        show.data(gone)


@click.command("webhooks:deliveries")
@click.option("-s", "--status", help="Only those that are: pending, retrying, succeeded, failed.")
@app_option
@json_option
def deliveries(app: str, status: str | None, as_json: bool) -> None:
    """List what was sent, and what is still to be: the last 1,000."""
    wanted = {"eq[status]": status} if status else None
    newest = {"Range": "seq ..; order=desc, max=1000"}
    found = client().get("apps", app, "webhook-deliveries", headers=newest, query=wanted)[::-1]
    if as_json:
        show.data(found)
    elif not found:
        show.talk(f"{app} has no deliveries")
    else:
        head = ["Delivery ID", "Created", "Status", "Include", "Level", "Attempts", "Code", "Error", "Next Attempt"]
        show.table([_row(each) for each in found], head)


@click.command("webhooks:deliveries:info")
@click.argument("delivery")
@app_option
@json_option
def delivery(app: str, delivery: str, as_json: bool) -> None:
    """Show one delivery, and what it says."""
    found = client().get("apps", app, "webhook-deliveries", delivery)
    event = client().get("apps", app, "webhook-events", found["event"]["id"])
    if as_json:
        show.data({**found, "payload": event["payload"]})
        return
    last = found["last_attempt"] or {}
    show.title(found["id"])
    show.pairs(
        [
            ("Created", show.time(found["created_at"])),
            ("Event", found["event"]["id"]),
            ("Webhook", found["webhook"]["id"]),
            ("Status", found["status"]),
            ("Include", found["event"]["include"]),
            ("Level", found["webhook"]["level"]),
            ("Attempts", found["num_attempts"]),
            ("Code", last.get("code") or ""),
            ("Error", last.get("error_class") or ""),
            ("Next Attempt", found["next_attempt_at"] or ""),
        ]
    )
    show.title("Event Payload")
    show.data(event["payload"])


@click.command("webhooks:events")
@app_option
@json_option
def events(app: str, as_json: bool) -> None:
    """List what webhooks were told of."""
    found = client().get("apps", app, "webhook-events")
    if as_json:
        show.data(found)
    elif not found:
        show.talk(f"{app} has no events")
    else:
        said = [(each["id"], each["payload"]) for each in found]
        rows = [[number, each["resource"], each["action"], each["published_at"]] for number, each in said]
        show.table(rows, ["Event ID", "Resource", "Action", "Published At"])


@click.command("webhooks:events:info")
@click.argument("event")
@app_option
def event(app: str, event: str) -> None:
    """Show what one of them says, as JSON."""
    show.data(client().get("apps", app, "webhook-events", event)["payload"])


def _body(wishes: dict[str, str | None]) -> dict[str, object]:
    body: dict[str, object] = {key: value for key, value in wishes.items() if value is not None}
    if include := wishes.get("include"):
        body["include"] = [each.strip() for each in include.split(",") if each.strip()]
    return body


def _state(webhook: dict[str, Any]) -> str:
    if not webhook["active"]:
        return f"off: {webhook['reason']}"
    return f"on, {webhook['failures']} attempts in a row failed" if webhook["failures"] else "on"


def _row(each: dict[str, Any]) -> list[object]:
    last = each["last_attempt"] or {}
    return [
        each["id"],
        each["created_at"],
        each["status"],
        each["event"]["include"],
        each["webhook"]["level"],
        each["num_attempts"],
        last.get("code"),
        last.get("error_class"),
        each["next_attempt_at"],
    ]
