"""What the app asks of its build, settled before any of its code runs: project.toml, and the app's own list.

The buildpacks are those of project.toml, else the app's list, else the platform's order. A list is one group, all of
it required.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wherry.builds import beneath, inline, patterns, project
from wherry.builds.catalogue import Catalogue
from wherry.builds.descriptor import Descriptor, Member
from wherry.builds.elsewhere import Elsewhere, Found
from wherry.builds.project import Project, Script
from wherry.domain.build_settings import BuildSettings
from wherry.domain.buildpacks import Kind, Reference, reference
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.flow.ports import Say
from wherry.flow.talk import detail

PROCFILE, APT = "wherry/procfile", "wherry/apt"
_OURS = "wherry/"
HEROKU = {
    "heroku/apt": APT,
    "heroku-community/apt": APT,
    "heroku/go": "wherry/go",
    "heroku/gradle": "wherry/java",
    "heroku/java": "wherry/java",
    "heroku/nodejs": "wherry/nodejs",
    "heroku/php": "wherry/php",
    "heroku/procfile": PROCFILE,
    "heroku/python": "wherry/python",
    "heroku/ruby": "wherry/ruby",
    "heroku/rust": "wherry/rust",
    "heroku/static": "wherry/static",
    "heroku-community/static": "wherry/static",
    "heroku-community/nginx": "wherry/static",
}
"""Names that apps bring along, and ours for the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`more`: the buildpacks in `catalogue` that are not the platform's. The `env` of `wish` counts less than the app's
    config.
    """

    catalogue: Catalogue
    more: tuple[Descriptor, ...]
    wish: Project


def settle(app: Path, settings: BuildSettings, ours: Catalogue, elsewhere: Elsewhere, say: Say) -> Asked:
    """Raises BuildFailed (BAD_SOURCE), PlatformFault."""
    try:
        content = beneath.read(app, project.NAME, project.MOST_BYTES)
    except InvalidInput as error:
        raise BuildFailed(BuildFailure.BAD_SOURCE, error.message) from error
    wish = project.read_project(content)
    for notice in wish.notices:
        detail(say, f"{project.NAME}: {notice}")
    try:
        choosing = _Choosing(app, ours, elsewhere, say)
        catalogue = choosing.catalogue(wish, settings)
    except InvalidInput as error:
        raise BuildFailed(BuildFailure.BAD_SOURCE, error.message, evidence=error.evidence, hint=error.hint) from error
    return Asked(catalogue, tuple(choosing.found.values()), wish)


def leave_out(app: Path, wish: Project, say: Say) -> None:
    """Takes out of `app` what its project.toml leaves out: once its own buildpacks have been copied, which may be
    among it.
    """
    if left_out := patterns.keep_only(app, wish.include, wish.exclude):
        detail(say, f"{project.NAME} leaves out {left_out} file{'s' if left_out > 1 else ''}")


class _Choosing:
    def __init__(self, app: Path, ours: Catalogue, elsewhere: Elsewhere, say: Say) -> None:
        self._app = app
        self._ours = ours
        self._elsewhere = elsewhere
        self._say = say
        self.found: dict[tuple[str, str], Descriptor] = {}

    def catalogue(self, wish: Project, settings: BuildSettings) -> Catalogue:
        wanted: Sequence[Reference | Script] = wish.group or [reference(each) for each in settings.buildpacks]
        if not wanted and not wish.before and not wish.after:
            return self._ours
        fetched = {each: self._fetch(each) for each in (*wish.before, *wanted, *wish.after) if not _is_id(each)}
        before, group, after = (
            tuple(fetched[each].member if each in fetched else self._named(each) for each in part)
            for part in (wish.before, wanted, wish.after)
        )
        groups = (
            [self._explicit((*before, *group, *after))] if group else [(*before, *g, *after) for g in self._ours.groups]
        )
        return self._ours.ordered(self.found.values(), groups, listed=bool(group))

    def _fetch(self, wanted: Reference | Script) -> Found:
        if isinstance(wanted, Script):
            found = inline.buildpack(wanted, self._elsewhere.shelf)
        else:
            found = self._elsewhere.find(wanted, self._app)
            commit = f", commit {found.commit[:7]}" if found.commit else ""
            detail(self._say, f"Using {found.member.id} {found.member.version} from {wanted}{commit}")
        self.found |= {(each.id, each.buildpack.version): each for each in found.descriptors}
        return found

    def _named(self, wanted: Reference | Script) -> Member:
        """By id: one that came from elsewhere, ours, or ours for a name of Heroku's."""
        assert isinstance(wanted, Reference)
        have = {name for name, _ in (*self.found, *self._ours.buildpacks)}
        if wanted.where in have:
            return Member(wanted.where, wanted.version)
        if (mapped := HEROKU.get(wanted.where, "")) in have:
            detail(self._say, f"{wanted} is built here by {mapped}")
            return Member(mapped)
        raise InvalidInput(
            f"there is no buildpack {wanted} here",
            problems=["have " + ", ".join(sorted(have))],
            hint="Others are named by ./FOLDER or by URL: docs/buildpacks.md",
        )

    def _explicit(self, group: tuple[Member, ...]) -> tuple[Member, ...]:
        """The Procfile has the last word on what runs, and ours may need packages of the distribution: where the list
        does not say so itself, both take part if they have something to do, and are here.
        """
        here = {name for name, _ in self._ours.buildpacks}
        names = {each.id for each in group}
        packages = APT in here and APT not in names and any(each.startswith(_OURS) for each in names)
        procfile = PROCFILE in here and not any(each.endswith("/procfile") for each in names)
        first = [Member(APT, optional=True)] if packages else []
        last = [Member(PROCFILE, optional=True)] if procfile else []
        return (*first, *group, *last)


def _is_id(wanted: Reference | Script) -> bool:
    return isinstance(wanted, Reference) and wanted.kind is Kind.ID
