"""What an app asks its Dockerfiles for: which images, and what they run. Pure, but for the app's own files.

The processes are those of heroku.yml's run, else of the Procfile, else what each image starts by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wherry.builds import beneath, dockerfile, heroku_yml
from wherry.builds.dockerfile import Dockerfile
from wherry.builds.heroku_yml import HerokuYml, Recipe, Run
from wherry.domain import procfile
from wherry.domain.build_settings import CONTAINER, BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.domain.formation import RELEASE

DOCKERFILE, WEB = "Dockerfile", "web"
_LONGEST_APP_JSON = 256 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """`images` by the process type that they are named for, `files` the same. `runs`: every process type; one without
    a command starts as its image does."""

    images: Mapping[str, Recipe]
    files: Mapping[str, Dockerfile]
    args: Mapping[str, str]
    runs: Mapping[str, Run]
    notices: tuple[str, ...] = ()


def wanted(app: Path, settings: BuildSettings) -> str:
    """Why the app is built by its Dockerfile; "" when it is not. Raises BuildFailed."""
    if settings.stack:
        return "The stack of the app is container." if settings.stack == CONTAINER else ""
    if _heroku_yml(app).images:
        return f"{heroku_yml.NAME} says build.docker."
    return 'app.json says "stack": "container".' if _stack_of_app_json(app) == CONTAINER else ""


def there(app: Path) -> bool:
    """Whether there is a Dockerfile to fall back on."""
    try:
        return beneath.read(app, DOCKERFILE, dockerfile.MOST_BYTES) is not None
    except InvalidInput:
        return False


def plan(app: Path) -> Plan:
    """Raises BuildFailed (BAD_SOURCE) with every fault."""
    asked = _heroku_yml(app)
    images = asked.images or {WEB: Recipe(DOCKERFILE)}
    files: dict[str, Dockerfile] = {}
    problems: list[str] = []
    for name, recipe in images.items():
        try:
            files[name] = _dockerfile(app, name, recipe, asked)
        except InvalidInput as error:
            problems += error.evidence or [error.message]
    if problems:
        first = problems if len(problems) > 1 or ":" in problems[0] else []
        message = "the Dockerfile cannot be built here" if first else problems[0]
        raise BuildFailed(BuildFailure.BAD_SOURCE, message, evidence=first, hint="What can: docs/containers.md")
    return Plan(images, files, asked.args, _runs(app, asked, images), asked.notices)


def _dockerfile(app: Path, name: str, recipe: Recipe, asked: HerokuYml) -> Dockerfile:
    content = beneath.read(app, recipe.dockerfile, dockerfile.MOST_BYTES)
    if content is None:
        named = f", which {heroku_yml.NAME} names in build.docker.{name}" if asked.images else ""
        raise InvalidInput(f"there is no {recipe.dockerfile} in the app{named}")
    return dockerfile.read(content, recipe.dockerfile, asked.args)


def _runs(app: Path, asked: HerokuYml, images: Mapping[str, Recipe]) -> dict[str, Run]:
    runs = dict(asked.run) if set(asked.run) - {RELEASE} else {**_procfile(app), **asked.run}
    if asked.images or not set(runs) - {RELEASE}:
        runs = {**{name: Run(()) for name in images if name != RELEASE}, **runs}
    only = next(iter(images)) if len(images) == 1 else ""
    settled = {}
    for name, run in runs.items():
        image = run.image or (name if name in images else only or (WEB if WEB in images else ""))
        if not image:
            message = f"the Procfile's {name} has no image of its own in {heroku_yml.NAME}, and there is no web"
            raise BuildFailed(BuildFailure.BAD_SOURCE, message)
        settled[name] = replace(run, image=image)
    return settled


def _procfile(app: Path) -> dict[str, Run]:
    try:
        content = beneath.read(app, "Procfile", procfile.MOST_BYTES)
        return {name: Run((line,)) for name, line in procfile.parse(content or b"").items()}
    except InvalidInput as error:
        raise _bad(error) from error


def _heroku_yml(app: Path) -> HerokuYml:
    try:
        return heroku_yml.read(beneath.read(app, heroku_yml.NAME, heroku_yml.MOST_BYTES))
    except InvalidInput as error:
        raise _bad(error) from error


def _stack_of_app_json(app: Path) -> str:
    """No more is read of app.json here, and what is wrong with the rest of it is nobody's trouble yet."""
    try:
        value = json.loads(beneath.read(app, "app.json", _LONGEST_APP_JSON) or b"{}")
    except (InvalidInput, ValueError, RecursionError):
        return ""
    stack = value.get("stack") if isinstance(value, dict) else None
    return stack if isinstance(stack, str) else ""


def _bad(error: InvalidInput) -> BuildFailed:
    return BuildFailed(BuildFailure.BAD_SOURCE, error.message, evidence=error.evidence, hint=error.hint)
