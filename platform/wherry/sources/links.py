"""Where symbolic links lead. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from wherry.domain.errors import PushRefused
from wherry.domain.text import printable

MOST_HOPS = 40  # as the kernel; past it a link leads nowhere, which is inside
MOST_STEPS = 300_000


def check_links(targets: Mapping[str, str]) -> None:
    """`targets`: path of each link → its text. A link to nothing is let be, while it stays inside.

    Raises PushRefused for a link that leads out of the tree, through other links or not.
    """
    steps = 0
    deepest = max((len(path.split("/")) for path in targets), default=0)
    for path in targets:
        used, inside = _follow(path, targets, deepest)
        steps += used
        if steps > MOST_STEPS:
            raise PushRefused("the symbolic links in this tree are too many and too long to follow")
        if not inside:
            raise PushRefused(
                f"the symbolic link {printable(path)} leads out of the tree: {printable(targets[path])}",
                hint="Make it relative to a file of the repository, or remove it: git rm LINK",
            )


def _follow(link: str, targets: Mapping[str, str], deepest: int) -> tuple[int, bool]:
    """(parts of paths that were looked at, whether it stayed inside). No link is below `deepest` parts."""
    at = link.split("/")[:-1]
    rest = deque([link.split("/")[-1]])
    steps = hops = 0
    while rest:
        part = rest.popleft()
        if part == "..":
            if not at:
                return steps, False
            at.pop()
        elif part not in ("", "."):
            at.append(part)
            target = targets.get("/".join(at)) if len(at) <= deepest else None
            if target is None:
                continue
            at.pop()
            hops += 1
            if hops > MOST_HOPS:
                return steps, True
            if target.startswith("/"):
                return steps, False
            parts = target.split("/")
            steps += len(parts)
            rest.extendleft(reversed(parts))
    return steps, True
