"""Pipelines: apps in stages, and promotions through them."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, follow_rollout, json_option
from wherry.cli.errors import Answered

_STAGES = ("test", "review", "development", "staging", "production")

stage_option = click.option("-s", "--stage", type=click.Choice(_STAGES), help="The stage that the app is in.")


@click.command("pipelines")
@json_option
def index(as_json: bool) -> None:
    """List your pipelines."""
    found = client().get("pipelines")
    if as_json:
        show.data(found)
    elif found:
        show.title("My Pipelines")
        for each in found:
            show.line(show.safe(each["name"]))
    else:
        show.talk("There are no pipelines yet. To make one of an app: wherry pipelines:create NAME -a APP -s staging")


@click.command("pipelines:create")
@click.argument("name")
@stage_option
@app_option
@json_option
def create(app: str, name: str, stage: str | None, as_json: bool) -> None:
    """Create the pipeline NAME with an app in it; its stage is guessed from its name unless it is given."""
    api = client()
    with show.action(f"Creating {show.safe(name)} pipeline"):
        made = api.post("pipelines", body={"name": name})
    _couple(api, made, app, stage)
    if as_json:
        show.data(made)


@click.command("pipelines:add")
@click.argument("name")
@stage_option
@app_option
def add(app: str, name: str, stage: str | None) -> None:
    """Put an app into the pipeline NAME."""
    api = client()
    _couple(api, api.get("pipelines", name), app, stage)


@click.command("pipelines:info")
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Show the apps of the pipeline NAME, by their stages."""
    api = client()
    found = api.get("pipelines", name)
    couplings = api.get("pipelines", name, "pipeline-couplings")
    if as_json:
        show.data({**found, "couplings": couplings})
        return
    show.title(found["name"])
    order = sorted(couplings, key=lambda each: (_STAGES.index(each["stage"]), each["app"]["name"]))
    show.table([(each["app"]["name"], each["stage"]) for each in order], ("App", "Stage"))


@click.command("pipelines:update")
@click.option("-s", "--stage", type=click.Choice(_STAGES), required=True, help="The stage that the app goes to.")
@app_option
def update(app: str, stage: str) -> None:
    """Move an app to another stage of its pipeline."""
    api = client()
    coupling = api.get("apps", app, "pipeline-couplings")
    with show.action(f"Moving {app} to {stage}"):
        api.patch("pipeline-couplings", coupling["id"], body={"stage": stage})


@click.command("pipelines:remove")
@app_option
def remove(app: str) -> None:
    """Take an app out of its pipeline."""
    api = client()
    coupling = api.get("apps", app, "pipeline-couplings")
    with show.action(f"Removing {app} from {show.safe(coupling['pipeline']['name'])}"):
        api.delete("pipeline-couplings", coupling["id"])


@click.command("pipelines:rename")
@click.argument("name")
@click.argument("new_name")
def rename(name: str, new_name: str) -> None:
    """Give the pipeline NAME the name NEW_NAME."""
    with show.action(f"Renaming {show.safe(name)} to {show.safe(new_name)}"):
        client().patch("pipelines", name, body={"name": new_name})


@click.command("pipelines:destroy")
@click.argument("name")
def destroy(name: str) -> None:
    """Remove the pipeline NAME. Its apps stay."""
    with show.action(f"Destroying {show.safe(name)} pipeline"):
        client().delete("pipelines", name)


@click.command("pipelines:promote")
@click.option("-t", "--to", help="Apps of the pipeline, with commas between. Default: those of the next stage.")
@app_option
@json_option
def promote(app: str, to: str | None, as_json: bool) -> None:
    """Release the image that serves in an app in the apps of the next stage. Nothing is built; each keeps its config."""
    api = client()
    body: dict[str, Any] = {"source": {"app": {"name": app}}}
    if to is not None:
        body["targets"] = [{"app": {"name": name.strip()}} for name in to.split(",") if name.strip()]
    made = api.post("pipeline-promotions", body=body)
    targets = api.get("pipeline-promotions", made["id"], "promotion-targets")
    for target in targets:
        if target["release"]:
            _follow(api, target)
    targets = api.get("pipeline-promotions", made["id"], "promotion-targets")
    if as_json:
        show.data(targets)
    else:
        names = {each["app"]["id"]: api.get("apps", each["app"]["id"])["name"] for each in targets}
        show.table([(names[each["app"]["id"]], each["status"], each["error_message"] or "") for each in targets])
    if any(each["status"] == "failed" for each in targets):
        raise Answered("rollout_failed", "the promotion failed in some apps", [], "", "")


def _follow(api: Client, target: dict[str, Any]) -> None:
    """To the end of one release; that it failed is told with all the others."""
    app = api.get("apps", target["app"]["id"])["name"]
    show.talk(f"Releasing in {show.safe(app)}")
    try:
        follow_rollout(api, app, api.get("apps", app, "releases", target["release"]["id"]))
    except Answered as error:
        show.talk(error.message)


def _couple(api: Client, pipeline: dict[str, Any], app: str, stage: str | None) -> None:
    chosen = stage or _guessed(app)
    with show.action(f"Adding {app} to {show.safe(pipeline['name'])} pipeline as {chosen}"):
        api.post("pipeline-couplings", body={"pipeline": pipeline["id"], "app": app, "stage": chosen})


def _guessed(app: str) -> str:
    """As Heroku's CLI does: by the end of its name."""
    ends = {"-dev": "development", "-development": "development", "-stg": "staging", "-staging": "staging"}
    return next((stage for end, stage in ends.items() if app.endswith(end)), "production")
