"""Apps onto the newest base, without a build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import chosen_app, client, follow_rollout, json_option, wait_option
from wherry.cli.errors import Answered, Usage
from wherry.domain.errors import WherryError

_AT_ONCE = 8


@click.command("rebase")
@click.argument("name", required=False, metavar="[APP]")
@click.option("-a", "--app", help="The app. Default: WHERRY_APP, else that of the git remote 'wherry'.")
@click.option("-r", "--remote", help="The git remote whose app is meant.")
@click.option("--all", "every", is_flag=True, help="Every app that you may see.")
@wait_option
@json_option
def rebase(name: str | None, app: str | None, remote: str | None, every: bool, no_wait: bool, as_json: bool) -> None:
    """Put an app, or every app, onto the newest base image: a release of the same code and config, nothing is built.

    With --all, apps that cannot be rebased are told and left as they are. Exit code 10 when a release does not come to
    serve.
    """
    if sum(map(bool, (name, app, remote, every))) > 1:
        raise Usage("an app is given twice, or beside --all")
    api = client()
    if every:
        _every(api, [str(each["name"]) for each in api.pages("apps")], no_wait, as_json)
        return
    app = chosen_app(name or app, remote)
    with show.action(f"Rebasing {app}") as done:
        found = api.post("apps", app, "rebase")
        done.with_ = _told(found)
    if found["release"] and not no_wait:
        follow_rollout(api, app, found["release"])
    if as_json:
        show.data(found)


def _every(api: Client, apps: Sequence[str], no_wait: bool, as_json: bool) -> None:
    """One after another is told; what fails does not keep the others from it. Raises the first failure at the end."""
    answers: list[dict[str, Any]] = []
    failures: list[WherryError] = []
    for app, found in _asked(api, apps):
        if isinstance(found, WherryError):
            show.talk(f"{app}: {show.safe(found.message)}")
            answers.append({"app": app, "base": None, "release": None, "error": found.message})
            failures += [] if _is_refusal(found) else [found]
            continue
        show.talk(f"{app}: {_told(found)}")
        answers.append({"app": app, **found, "error": None})
    made = [each for each in answers if each["release"]]
    if not no_wait:
        failures += _followed(api, made)
    show.talk(f"{len(made)} of {len(apps)} apps rebased.")
    if as_json:
        show.data(answers)
    if failures:
        raise failures[0]


def _asked(api: Client, apps: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Each app's answer, or its error, in order; a few are asked at once."""
    from concurrent.futures import ThreadPoolExecutor

    def one(app: str) -> Any:
        try:
            return api.post("apps", app, "rebase")
        except WherryError as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from zip(apps, pool.map(one, apps), strict=True)


def _followed(api: Client, made: Sequence[dict[str, Any]]) -> list[WherryError]:
    failures = []
    for each in made:
        show.talk(f"-----> {each['app']} v{each['release']['version']}")
        try:
            follow_rollout(api, each["app"], each["release"])
        except WherryError as error:
            show.talk(f" !     {show.safe(error.message)}")
            failures.append(error)
    return failures


def _told(found: dict[str, Any]) -> str:
    if found["release"]:
        return f"v{found['release']['version']}"
    return f"nothing to do, it is on the newest base ({show.safe(found['base']['digest'])[:19]})"


def _is_refusal(error: WherryError) -> bool:
    """The app cannot be rebased, has no release, or is not ours to release: nothing that went wrong."""
    return isinstance(error, Answered) and error.error_id in ("conflict", "forbidden")
