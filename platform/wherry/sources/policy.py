"""The configuration of every repository, as one text. Pure.

What a push *means* is not here but in domain/refs.py, asked by the pre-receive hook: git's own switches could not
say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.settings import Settings

MIB = 1024 * 1024

# Flaws of old commits that many known projects carry, and that harm nothing.
_OLD_FLAWS = (
    "badDate",
    "badTimezone",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedFilemode",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """`push`: bytes of one pack; `tree`: bytes of one source tree; `files`: files and folders in it."""

    push: int = 512 * MIB
    tree: int = 2048 * MIB
    files: int = 100_000
    depth: int = 200
    path: int = 1024

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(
            push=settings.number("max_push_mb") * MIB,
            tree=settings.number("max_tree_mb") * MIB,
            files=settings.number("max_tree_files"),
        )


def config(limits: Limits, hooks: Path) -> str:
    """The text of `<repository>/config`; git-config(1) has the meaning of each key."""
    flaws = "".join(f"\t{flaw} = warn\n" for flaw in _OLD_FLAWS)
    quoted = str(hooks).replace("\\", "\\\\").replace('"', '\\"')
    return _TEXT.format(hooks=quoted, most=limits.push) + f'[receive "fsck"]\n{flaws}'


# hideRefs: one pushed refs/replace/* would make the same commit id export other content, and a ref that replaces
# itself bricks the repository. fsync: a ref that a client was told about survives a power cut. unpackLimit 1: one
# pack a push, three fsyncs however many objects it has; gc joins them later, off the push.
_TEXT = """\
# Written by wherry. A change by hand is undone with the next push.
[core]
\trepositoryFormatVersion = 0
\tfileMode = true
\tbare = true
\thooksPath = "{hooks}"
\tuseReplaceRefs = false
\tbigFileThreshold = 16m
\tpackedGitWindowSize = 32m
\tpackedGitLimit = 512m
\tfsync = committed,reference
[transfer]
\thideRefs = refs
\thideRefs = !refs/heads
\thideRefs = !refs/tags
\tunpackLimit = 1
[receive]
\tfsckObjects = true
\tmaxInputSize = {most}
\tadvertisePushOptions = false
\tshallowUpdate = false
\tautogc = false
\tupdateServerInfo = false
\tdenyDeleteCurrent = ignore
\tkeepAlive = 5
[uploadpack]
\tallowFilter = false
\tallowAnySHA1InWant = false
\tkeepAlive = 5
[http]
\tuploadpack = true
\treceivepack = true
\tgetanyfile = false
[pack]
\tthreads = 1
\twindowMemory = 64m
[gc]
\tautoDetach = false
"""
