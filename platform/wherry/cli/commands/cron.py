"""Cron: what runs on a schedule, what became of it, and a run by hand."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, json_option
from wherry.cli.errors import Answered


@click.command("cron")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List the tasks of the app's app.json, and when each is due next (UTC)."""
    found = client().get("apps", app, "cron-tasks")
    if as_json:
        show.data(found)
        return
    if not found:
        show.talk(f"{app} has no cron tasks. They stand in its app.json: docs/app-contract.md")
        return
    show.title(f"{app} Cron Tasks")
    rows = [
        (
            each["number"],
            each["schedule"],
            "paused" if each["maintenance"] else show.time(each["next_at"]),
            each["last_run"]["status"] if each["last_run"] else "-",
            each["command"],
        )
        for each in found
    ]
    show.table(rows, head=("Task", "Schedule", "Next", "Last", "Command"))


@click.command("cron:history")
@click.option("-n", "--num", type=click.IntRange(1, 100), default=15, show_default=True, help="How many.")
@app_option
@json_option
def history(app: str, num: int, as_json: bool) -> None:
    """List the newest runs of all tasks."""
    found = client().get("apps", app, "cron-runs")[:num]
    if as_json:
        show.data(found)
        return
    if not found:
        show.talk(f"nothing of {app} has run on a schedule yet")
        return
    show.title(f"{app} Cron Runs")
    show.table([_row(each) for each in found], head=("Run", "Task", "Status", "Due", "Message"))


@click.command("cron:run")
@click.argument("task")
@click.option("--no-wait", is_flag=True, help="Return at once; the run goes on by itself.")
@app_option
@json_option
def run(app: str, task: str, no_wait: bool, as_json: bool) -> None:
    """Run a task now, by its number, and follow it. Exit code 1 when it fails."""
    api = client()
    with show.action(f"Running task {show.safe(task)} of {app}") as done:
        made = api.post("apps", app, "cron-tasks", task, "actions", "run")
        done.with_ = made["name"]
    if not no_wait and made["status"] in ("pending", "running"):
        made = _followed(api, app, made)
    if as_json:
        show.data(made)
    if made["status"] not in ("succeeded", "pending", "running"):
        code = made["exit_code"]
        why = f"exit code {code}" if code is not None else made["message"] or made["status"]
        raise Answered("failed", f"{made['name']} {made['status']}: {why}", [], "", "")


@click.command("cron:output")
@click.argument("run")
@app_option
def output(app: str, run: str) -> None:
    """Show what a run wrote, until it ends: RUN as cron.1017."""
    api = client()
    for line in api.lines(api.get("apps", app, "cron-runs", run)["output_stream_url"]):
        show.log(line)


def _followed(api: Client, app: str, made: dict[str, Any]) -> dict[str, Any]:
    for line in api.lines(made["output_stream_url"]):
        show.log(line)
    found: dict[str, Any] = api.get("apps", app, "cron-runs", made["id"])
    return found


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    code = each["exit_code"]
    status = f"{each['status']} ({code})" if code else each["status"]
    return each["name"], each["task"], status, show.time(each["due_at"]), each["message"] or ""
