"""`wherry stack:update`: the stack images again, of today's packages."""

from __future__ import annotations

from collections.abc import Callable

from wherry.fittings.images import stacks
from wherry.fittings.runtimes import open_runtime
from wherry.home import Home
from wherry.settings import Settings

Say = Callable[[str], None]


def update(settings: Settings, say: Say) -> dict[str, object]:
    """Raises Conflict when the settings name the images, PlatformFault (the registry must be up)."""
    home = Home(settings.folder)
    renewal = stacks(settings, home).renew(say)
    if renewal.removed:
        open_runtime(settings, home).discard(renewal.removed)
    run = renewal.stack.run.digest
    if renewal.changed:
        say(f"The newest base is {run}. Builds begin on it now. To put apps onto it: wherry rebase --all")
    else:
        say(f"No package has changed: the newest base is still {run}")
    return {"changed": renewal.changed, "build": renewal.stack.build.digest, "run": run}
