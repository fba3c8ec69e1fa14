"""What most commands share: the options for the app and for JSON, the client, and following a rollout to its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from wherry.cli import places, repository, show
from wherry.cli.client import Client
from wherry.cli.errors import Answered, Usage
from wherry.domain.formation import RELEASE
from wherry.domain.names import APP_NAME
from wherry.domain.text import printable

R = TypeVar("R")
P = ParamSpec("P")

json_option = click.option("-j", "--json", "as_json", is_flag=True, help="As JSON.")
wait_option = click.option("--no-wait", is_flag=True, help="Return at once; the rollout goes on by itself.")


def app_option(function: Callable[..., R]) -> Callable[..., R]:
    """-a and -r become one argument, `app`: the name of the app that is meant."""

    @click.option("-a", "--app", help="The app. Default: WHERRY_APP, else that of the git remote 'wherry'.")
    @click.option("-r", "--remote", help="The git remote whose app is meant.")
    @wraps(function)
    def command(*args: object, app: str | None, remote: str | None, **options: object) -> R:
        return function(*args, app=chosen_app(app, remote), **options)

    return command


def app_option_or_none(function: Callable[..., R]) -> Callable[..., R]:
    """As app_option; `app` is None where nothing says which one."""

    @click.option("-a", "--app", help="The app. Default: WHERRY_APP, else that of the git remote 'wherry'.")
    @click.option("-r", "--remote", help="The git remote whose app is meant.")
    @wraps(function)
    def command(*args: object, app: str | None, remote: str | None, **options: object) -> R:
        known = app or remote or os.environ.get("WHERRY_APP") or repository.app_of(repository.REMOTE)
        return function(*args, app=chosen_app(app, remote) if known else None, **options)

    return command


def chosen_app(app: str | None, remote: str | None) -> str:
    """Raises Usage when nothing says which app is meant."""
    if app and remote:
        raise Usage("--app and --remote are both given; one is enough")
    name = app or (None if remote else os.environ.get("WHERRY_APP")) or repository.app_of(remote or repository.REMOTE)
    if name is None:
        raise Usage(
            f"the git remote '{printable(remote)}' is no app's" if remote else "no app is given",
            hint="Say which: -a APP, or WHERRY_APP=APP, or in its repository: wherry git:remote -a APP",
        )
    if not APP_NAME.fullmatch(name):
        raise Usage(f"'{printable(name, 60)}' is not a name for an app")
    return name


def client() -> Client:
    endpoint = places.endpoint(os.environ)
    if not endpoint.token.reveal():
        raise Usage(f"no token is known for {endpoint.url}", hint="Log in: wherry login; or set WHERRY_API_KEY")
    return Client(endpoint)


def follow_rollout(api: Client, app: str, release: dict[str, Any]) -> None:
    """Shows the rollout on stderr until it ends. Raises Answered (rollout_failed) unless it came to serve."""
    name = f"v{release['version']}"
    later = f"wherry releases:output {name} -a {app}"
    try:
        for line in api.lines(release["output_stream_url"]):
            show.talk_log(line)
    except KeyboardInterrupt:
        show.talk(f"\nThe rollout goes on. To see it: {later}")
        raise
    ended = api.get("apps", app, "releases", release["id"])
    if ended["status"] == "failed":
        reason = str(ended.get("message") or ended.get("failure") or "its rollout failed")
        hint = f"What served before still serves. To see why: {later}"
        raise Answered("rollout_failed", f"{name} did not come to serve: {reason}", [], hint, "")
    if ended["status"] != "succeeded":
        raise Answered("pending", f"{name} is still {ended['status']}", [], f"To see it: {later}", "")


def amount(each: dict[str, Any]) -> str:
    """How many of a process type are wanted: ``2``, or ``1-5`` where load decides."""
    load = each.get("autoscaling")
    return f"{load['min_quantity']}-{load['max_quantity']}" if load and each["quantity"] else str(each["quantity"])


def scalable(api: Client, app: str) -> list[dict[str, Any]]:
    """The formation without the release phase, which is in the API's for Heroku's clients and cannot be scaled."""
    return [each for each in api.get("apps", app, "formation") if each["type"] != RELEASE]
