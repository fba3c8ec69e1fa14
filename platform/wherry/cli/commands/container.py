"""Images that were made elsewhere, as a release."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.commands.config import RELEASE_HEADER
from wherry.cli.common import app_option, client, follow_rollout, wait_option


@click.command("container:release")
@click.argument("types", nargs=-1, required=True, metavar="TYPE...")
@click.option("--image", required=True, metavar="REF@sha256:...", help="The image, by its digest.")
@app_option
@wait_option
def release(app: str, types: tuple[str, ...], image: str, no_wait: bool) -> None:
    """Release an image for process TYPEs: from an allowed registry, or one that the platform has. Nothing is built."""
    api = client()
    with show.action(f"Releasing images {show.safe(', '.join(types))} to {app}") as done:
        updates = [{"type": each, "docker_image": image} for each in types]
        answer = api.call("PATCH", "apps", app, "formation", body={"updates": updates})
        made = answer.headers.get(RELEASE_HEADER) or ""
        done.with_ = made
    if made and not no_wait:
        follow_rollout(api, app, api.get("apps", app, "releases", made))
