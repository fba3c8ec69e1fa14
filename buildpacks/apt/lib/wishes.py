"""Which packages: what buildpacks ask for in the plan, and the app's Aptfile."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?")
DEB = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/%+:@-]*\.deb(#sha256=[0-9a-f]{64})?")
REPOSITORY = re.compile(r":repo:(deb(?: \[[A-Za-z0-9=,./_ -]+\])? https?://[A-Za-z0-9._~/:@-]+(?: [A-Za-z0-9./_-]+)+)")


class Refusal(Exception):
    """Lines for the pusher, the cause first; `code` is the exit code (sysexits.h)."""

    def __init__(self, code: int, *lines: str) -> None:
        super().__init__(lines[0])
        self.code, self.lines = code, lines


BAD_SOURCE, NOT_AVAILABLE, NETWORK = 65, 69, 75


@dataclass(frozen=True, slots=True)
class Wish:
    """One entry of the plan. `what` is the words for a person, as in "Java 21"; `have` a pattern of package names whose
    first group is a version of it; `asked` says who wants it, and `hint` what to do: in it {have} is the newest there is.
    """

    packages: tuple[str, ...]
    what: str = ""
    have: str = ""
    asked: str = ""
    hint: str = ""


@dataclass(slots=True)
class Wishes:
    """`run`: for builds and processes; `build`: for builds only."""

    run: list[Wish] = field(default_factory=list)
    build: list[Wish] = field(default_factory=list)
    debs: list[str] = field(default_factory=list)
    repositories: list[str] = field(default_factory=list)


def read(plan: Path, app: Path) -> Wishes:
    """Raises Refusal for an Aptfile with lines that are none of its grammar, all of them at once."""
    wishes = Wishes()
    for entry in tomllib.loads(plan.read_text())["entries"]:
        asked = entry.get("metadata", {})
        if asked.get("aptfile"):
            _read_aptfile((app / "Aptfile").read_text("utf-8-sig", "replace"), wishes)
            continue
        words = {name: asked.get(name, "") for name in ("what", "have", "asked", "hint")}
        wish = Wish(tuple(asked.get("packages", ())), **words)
        wrong = [name for name in wish.packages if not PACKAGE.fullmatch(name)]
        if wrong:
            raise Refusal(1, f"a buildpack asks for what is no package: {wrong[0]!r}")
        (wishes.run if asked.get("launch") else wishes.build).append(wish)
    return wishes


def _read_aptfile(text: str, wishes: Wishes) -> None:
    names, wrong = [], []
    for number, line in enumerate(text.split("\n"), 1):
        words = " ".join(line.partition("#" if "://" not in line else " #")[0].split())
        if not words:
            continue
        if repository := REPOSITORY.fullmatch(words):
            wishes.repositories.append(repository[1])
        elif DEB.fullmatch(words):
            wishes.debs.append(words)
        elif all(PACKAGE.fullmatch(word) for word in words.split(" ")):
            names += words.split(" ")
        else:
            wrong.append(f"Aptfile line {number}: {words[:80]!a}")
    if wrong:
        hint = "A line is names of packages, the URL of a .deb file, or :repo:deb URL SUITE COMPONENT."
        raise Refusal(BAD_SOURCE, "the Aptfile has lines that cannot be read", *wrong, "", hint)
    wishes.run.append(Wish(tuple(names)))
