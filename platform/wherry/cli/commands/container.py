"""Images that were made elsewhere, as a release."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.commands.config import RELEASE_HEADER
from wherry.cli.common import app_option, client, follow_rollout, wait_option
from wherry.cli.errors import Usage


@click.command("container:release")
@click.argument("types", nargs=-1, required=True, metavar="TYPE...")
@click.option("--image", metavar="REF@sha256:...", help="The image, by its digest, instead of what was pushed.")
@click.option("--tag", help="Of what was pushed.  [default: latest]")
@app_option
@wait_option
def release(app: str, types: tuple[str, ...], image: str | None, tag: str | None, no_wait: bool) -> None:
    """Release what was pushed for process TYPEs by docker push HOST/APP/TYPE. Nothing is built.

    With --image: an image from a registry that the operator allows, or one that the platform has.
    """
    if image and tag:
        raise Usage("--image and --tag are both given; one is enough")
    api = client()
    with show.action(f"Releasing images {show.safe(', '.join(types))} to {app}") as done:
        updates = [{"type": each, "docker_image": image or _pushed(api, app, each, tag or "latest")} for each in types]
        answer = api.call("PATCH", "apps", app, "formation", body={"updates": updates})
        made = answer.headers.get(RELEASE_HEADER) or ""
        done.with_ = made
    if made and not no_wait:
        follow_rollout(api, app, api.get("apps", app, "releases", made))


def _pushed(api: Client, app: str, type_: str, tag: str) -> str:
    """Its digest: what is released is what the tag stands for now."""
    answer = api.call("GET", "v2", app, type_, "manifests", tag)
    return str(answer.headers["Docker-Content-Digest"])
