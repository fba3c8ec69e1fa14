"""Which ref updates a push may carry, and which one of them deploys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.errors import PushRefused
from wherry.domain.text import printable

ZERO = "0" * 40
SHA = re.compile(r"[0-9a-f]{40}")
BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
DEPLOY_BRANCHES = ("main", "master")
MOST_UPDATES = 100
KEPT = ("refs/heads/", "refs/tags/")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One line that git gives to a pre-receive hook: ``old new ref``; ZERO stands for absent."""

    old: str
    new: str
    ref: str

    @classmethod
    def parse(cls, line: str) -> RefUpdate:
        """Raises PushRefused when the line is not git's."""
        old, _, rest = line.partition(" ")
        new, _, ref = rest.partition(" ")
        if not (SHA.fullmatch(old) and SHA.fullmatch(new) and ref.startswith("refs/")):
            raise PushRefused(f"not a ref update: {printable(line)}")
        return cls(old, new, ref)

    @property
    def branch(self) -> str | None:
        prefix = "refs/heads/"
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a push means: the update that deploys, if any, and remarks for the pusher about the others."""

    deploy: RefUpdate | None
    remarks: tuple[str, ...]


def judge(updates: Sequence[RefUpdate], deployed: str | None) -> Verdict:
    """The meaning of a push onto an app whose deploy branch is `deployed` (None before its first push).

    Raises PushRefused for too many updates, for a ref that is neither branch nor tag, for the deletion of the deploy
    branch, and for two deploy branches at once.
    """
    if len(updates) > MOST_UPDATES:
        raise PushRefused(
            f"this push changes {len(updates)} refs; the most is {MOST_UPDATES}",
            hint="Push one branch: git push wherry main",
        )
    # git refuses these by itself, but lets the rest of the push through, even of one that is asked to be atomic.
    if strange := [update.ref for update in updates if not update.ref.startswith(KEPT)]:
        raise PushRefused(
            f"{printable(strange[0])} is neither a branch nor a tag, and nothing else is kept here",
            hint="Push one branch: git push wherry main",
        )
    names = (deployed,) if deployed else DEPLOY_BRANCHES
    deploying = [update for update in updates if update.branch in names]
    if any(update.new == ZERO for update in deploying):
        raise PushRefused(
            f"{deploying[0].branch} is the deploy branch and cannot be deleted",
            hint="To remove the app: wherry apps:destroy",
        )
    if len(deploying) > 1:
        raise PushRefused(
            "this push has both main and master, so it is not clear which to deploy",
            hint="Push one: git push wherry main",
        )
    remarks = [_remark(update, names) for update in updates if update not in deploying]
    return Verdict(deploying[0] if deploying else None, tuple(remark for remark in remarks if remark))


def _remark(update: RefUpdate, names: Sequence[str]) -> str:
    branch = update.branch
    if branch is None or update.new == ZERO:
        return ""
    if not BRANCH.fullmatch(branch):
        return f"{printable(branch)} was stored, not deployed: the deploy branch is {' or '.join(names)}."
    stored = f"{branch} was stored, not deployed: the deploy branch is {names[0]}."
    return f"{stored} To deploy: git push wherry {branch}:{names[0]}"
