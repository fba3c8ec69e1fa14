"""What a failure of the go command means, by what it printed. One table.

A compiler's failure ends with exit code 1: its words are shown, and the platform reads them too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from talk import BAD_SOURCE, NETWORK, NOT_AVAILABLE, OTHER, Refusal


@dataclass(frozen=True, slots=True)
class Kind:
    """`pattern`: what is printed, `hint`: the next command."""

    code: int
    cause: str
    pattern: str
    hint: str = ""


_TIDY = "Run this on your machine: go mod tidy && git add go.mod go.sum"
_LINE = r"^(vet: )?(?P<file>[^\s:]+\.(go|s|c|h|cc|cpp)):\d+(:\d+)?: "

COMPILE = Kind(
    OTHER, "the app does not compile", _LINE + r"|^# \S+|: cannot use |build constraints exclude all Go files"
)
_KINDS = (
    Kind(
        BAD_SOURCE,
        "go.mod cannot be read",
        r"errors parsing go\.(mod|work)|^\S*go\.(mod|work):\d+: |invalid go version",
        "Is it right on your machine? Try: go mod verify",
    ),
    Kind(
        BAD_SOURCE,
        "a module is not the one that go.sum names",
        r"checksum mismatch|SECURITY ERROR|malformed go\.sum",
        "If the module was published anew on purpose, run this on your machine: go clean -modcache && go mod tidy",
    ),
    Kind(BAD_SOURCE, "go.sum lacks modules that the app needs", r"missing go\.sum entry", _TIDY),
    Kind(
        BAD_SOURCE,
        "vendor/ does not match go.mod",
        r"inconsistent vendoring|cannot find module providing package .*import lookup disabled by -mod=vendor"
        r"|is explicitly required in go\.mod, but not marked|cannot query module due to -mod=vendor",
        "Run this on your machine: go mod vendor && git add vendor",
    ),
    Kind(
        NOT_AVAILABLE,
        "a newer Go is needed than the one that was chosen",
        r"requires go >= ?[0-9.]+|module requires Go [0-9.]+|go\.(mod|work) requires go",
        "Ask for it with the go line of go.mod. Try: go mod tidy",
    ),
    Kind(
        NETWORK,
        "the module proxy cannot be reached",
        r"dial tcp|no such host|i/o timeout|connection re(fused|set)|TLS handshake|x509: |server misbehaving|proxyconnect"
        r"|: 5\d\d (Bad Gateway|Service|Internal|Gateway)|network is unreachable|Client\.Timeout|: EOF$|unexpected EOF"
        r"|429 Too Many",
        "Push again in a moment, or ask the operator about GOPROXY. Modules in vendor/ need none: go mod vendor",
    ),
    Kind(
        BAD_SOURCE,
        "a module or a version of it cannot be found",
        r": (404 Not Found|410 Gone)|unknown revision|invalid version|no matching versions|repository .*not found"
        r"|could not read Username|module lookup disabled|terminal prompts disabled|Permission denied \(publickey",
        "Correct its name or version in go.mod; a private module needs GOPRIVATE and a login, or vendor/: go mod vendor",
    ),
    Kind(
        BAD_SOURCE,
        "the app imports a package that no module of go.mod has",
        r"no required module provides package|is not in (std|GOROOT)|cannot find module providing package"
        r"|does not contain package|no matching module",
        _TIDY,
    ),
    Kind(BAD_SOURCE, "go.mod is not up to date", r"updates to go\.mod needed|missing module requirement", _TIDY),
)
_NOISE = re.compile(
    r"^go: (downloading|finding) |^The bits may have|^have intercepted the download|go help module-auth|^This download does"
)
_MOST_SHOWN = 12


def refusal(lines: Sequence[str], vendored: bool = False) -> Refusal:
    """The first kind that any line shows. `vendored`: whether modules come from vendor/."""
    text = "\n".join(lines)
    for kind in _KINDS:
        if re.search(kind.pattern, text, re.MULTILINE):
            return Refusal(kind.code, kind.cause, _evidence(lines, kind.pattern), kind.hint)
    if re.search(COMPILE.pattern, text, re.MULTILINE):
        hint = "Does it build on your machine? Try: go build ./..."
        return Refusal(COMPILE.code, COMPILE.cause, _compiler(lines), hint)
    said = [line for line in lines if not _NOISE.search(line)]
    hint = "Does it build on your machine? Try: go build ./..."
    return Refusal(OTHER, "go could not build the app", [line[:300] for line in said[-_MOST_SHOWN:]], hint)


def _evidence(lines: Sequence[str], pattern: str) -> list[str]:
    """From the first line that shows it on, without the noise."""
    useful = [line for line in lines if not _NOISE.search(line)]
    first = next((index for index, line in enumerate(useful) if re.search(pattern, line)), 0)
    return [line.strip()[:300] for line in useful[first : first + _MOST_SHOWN]]


def _compiler(lines: Sequence[str]) -> list[str]:
    """Lines with file and line, and those that go on about them."""
    kept = [line for line in lines if re.search(_LINE, line) or line.startswith(("\t", "    ", "# "))]
    where = [line for line in kept if not line.startswith("# ")]
    return [line[:300] for line in (where or list(lines))[:_MOST_SHOWN]]
