"""How the processes of images start that buildpacks did not make, and as whom. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from wherry.builds.heroku_yml import Run
from wherry.domain.errors import BuildFailed, BuildFailure
from wherry.domain.image import Start
from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.images.stored import StoredImage

APP_USER = "1001:1000"
"""Who apps run as where their image says nobody, or root."""
_SHELL = ("/bin/sh", "-c")


def starts_of(
    runs: Mapping[str, Run], images: Mapping[str, StoredImage], main: str, say: Say
) -> tuple[dict[str, Start], dict[str, str]]:
    """Starts and commands for people, by process type; `main` is the digest that needs no saying. Raises BuildFailed for
    an image that says nothing to run.
    """
    starts, shown = {}, {}
    for name, run in runs.items():
        image = images[run.image]
        argv = _argv(name, run, image)
        starts[name] = Start(argv, _user(image), "" if image.digest == main else image.digest)
        shown[name] = argv[2] if argv[:2] == _SHELL and len(argv) == 3 else shlex.join(argv)
    for name, image in images.items():
        if _user(image):
            whom = str(image.settings.get("User") or "") or "nobody in particular"
            detail(
                say, f"The image of {name} runs as {whom}: here as {APP_USER}. Its own user: USER in the Dockerfile."
            )
    return starts, shown


def _argv(name: str, run: Run, image: StoredImage) -> tuple[str, ...]:
    """A line is the shell's to read; an image's own start has both halves, as the engine puts them together."""
    if run.command:
        return run.command if len(run.command) > 1 else (*_SHELL, run.command[0])
    own = (*_words(image.settings.get("Entrypoint")), *_words(image.settings.get("Cmd")))
    if not own:
        raise BuildFailed(
            BuildFailure.BAD_SOURCE,
            f"nothing says what {name} runs",
            hint="Say it by CMD in the Dockerfile, or by run in heroku.yml",
        )
    return own


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def _user(image: StoredImage) -> str:
    """ "" leaves it to the image. A name may be root's too, which only the image's own files could tell: what it may do is
    taken from it in any case.
    """
    user = str(image.settings.get("User") or "").partition(":")[0]
    is_root = user in ("", "root") or (user.isdecimal() and int(user) == 0)
    return APP_USER if is_root else ""
