"""A release of images that were made elsewhere: nothing is built. Each process type that is named gets its image; the
others keep theirs, unless buildpacks made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from shlex import join

from wherry.domain.errors import InvalidInput
from wherry.domain.image import Image, Start
from wherry.domain.model import Actor, App, Release
from wherry.domain.procfile import MOST_TYPES, TYPE
from wherry.domain.text import printable
from wherry.flow.draft import Draft, append, newest
from wherry.flow.image_ports import Images
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class ReleaseImages:
    ledger: Ledger
    images: Images
    clock: Clock

    def run(self, actor: Actor, app: App, wanted: Mapping[str, str], origin: str = "") -> Release:
        """`wanted`: process type to an image by digest. Raises InvalidInput, NotFound, PlatformFault; then nothing has
        changed.
        """
        _check(wanted)
        taken = {each: self.images.take_in(app.id, each) for each in dict.fromkeys(wanted.values())}
        starts = {name: taken[reference] for name, reference in wanted.items()}
        with self.ledger.begin() as tx:
            current = newest(tx, app.id)
            image = _image(f"apps/{app.id}", current.image if current else None, starts)
            shown = ", ".join(f"{name} ({start.digest[7:19]})" for name, start in starts.items())
            draft = Draft(app, actor, f"Deployed {shown}", image, tx.apps.config(app.id), origin=origin)
            return append(tx, draft, self.clock.now())


def _check(wanted: Mapping[str, str]) -> None:
    problems = [
        f"'{printable(name, 60)}' is not a process type (lower-case letters, digits and dashes)"
        for name in wanted
        if not TYPE.fullmatch(name)
    ]
    if not 0 < len(wanted) <= MOST_TYPES:
        problems.append(f"{len(wanted)} process types; there must be 1 to {MOST_TYPES}")
    if problems:
        raise InvalidInput("nothing was released", problems=problems)


def _image(repository: str, current: Image | None, new: Mapping[str, Start]) -> Image:
    """The web's digest stands for the whole, and the others' beside it."""
    kept: dict[str, Start] = {}
    shown: dict[str, str] = {}
    if current and current.repository == repository and current.processes.keys() == current.starts.keys():
        kept = {name: replace(each, digest=current.of(name).digest) for name, each in current.starts.items()}
        shown = dict(current.processes)
    starts = {**kept, **new}
    main = starts.get("web", next(iter(starts.values()))).digest
    return Image(
        repository,
        main,
        {**shown, **{name: join(each.argv) for name, each in new.items()}},
        {name: replace(each, digest="" if each.digest == main else each.digest) for name, each in starts.items()},
    )
