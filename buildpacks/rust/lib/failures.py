"""What a failure of cargo means, by what it printed. One table.

Compilers and conflicts end with exit code 1: their words are shown, and the platform reads them too.
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


_NATIVE_HINT = "Does it need a library? Name its Debian package in an Aptfile, with the -dev package."
_KINDS = (
    Kind(
        NOT_AVAILABLE,
        "crates from Git cannot be fetched by this cargo unless Cargo.lock names them",
        r"on git_proxy_options",
        "Commit Cargo.lock, or bring the crates along. Try: cargo generate-lockfile, or cargo vendor",
    ),
    Kind(OTHER, "the build script of a crate failed", r"failed to run custom build command for", _NATIVE_HINT),
    Kind(OTHER, "a program could not be linked", r"error: linking with .* failed", _NATIVE_HINT),
    Kind(
        BAD_SOURCE,
        "Cargo.lock does not match Cargo.toml",
        r"because --(locked|frozen) was passed|lock file .* needs to be updated but --",
        "Run this on your machine: cargo update --workspace && git add Cargo.lock",
    ),
    Kind(
        BAD_SOURCE,
        "a crate is not the one that Cargo.lock names",
        r"checksum for .* changed between lock files|failed to verify the checksum|the listed checksum of"
        r"|checksum .* could not be calculated",
        "Was it changed by hand? Run this on your machine: cargo vendor, or cargo update",
    ),
    Kind(
        NOT_AVAILABLE,
        "a newer Rust is needed than the one that is here",
        r"rustc \S+ is not supported by the following package|requires rustc \S+|lock file version .* (requires|was found)"
        r"|feature `\S+` is required|is not stabilized in this version of Cargo",
        "Take older versions of these crates, as in: cargo update NAME --precise VERSION",
    ),
    Kind(
        NETWORK,
        "the registry of crates cannot be reached",
        r"spurious network error|\[(5|6|7|16|28|35|52|55|56|60|77|92)\] |Could not resolve|Couldn't connect|Could not connect"
        r"|network failure seems|failed to resolve address|got (429|5\d\d)\b|HTTP response code: ?(429|5\d\d)",
        "Push again in a moment, or ask the operator about proxies and cargo's registry. Vendored crates need none: cargo vendor",
    ),
    Kind(
        BAD_SOURCE,
        "a crate or a version of it cannot be found",
        r"no matching package( named)?|failed to select a version for the requirement|is not found in registry"
        r"|failed to (get|load source for) `|got 40[34]\b|unable to update|revspec .* not found|failed to authenticate",
        "Correct its name or version in Cargo.toml; a private one needs a login, or a folder of its own: cargo vendor",
    ),
    Kind(
        OTHER,
        "the crates that the app asks for contradict each other",
        r"failed to select a version for|links to the native library",
        "Does it build on your machine? Try: cargo update --workspace",
    ),
    Kind(
        BAD_SOURCE,
        "Cargo.toml cannot be read",
        r"--> (\S*/)?Cargo\.toml:\d+"
        r"|failed to parse manifest|failed to (load|read) manifest|TOML parse error|could not parse input as TOML"
        r"|invalid (character|type|value)|current package believes it's in a workspace|manifest .* (missing|is missing)"
        r"|no targets specified in the manifest|virtual manifest",
        "Is it right on your machine? Try: cargo metadata --no-deps",
    ),
)
_COMPILE = r"^error(\[E\d+\])?: "
_PLACE = re.compile(r"^\s*--> \S+:\d+:\d+$")
_NOISE = re.compile(
    r"^\s+(Compiling|Downloaded|Downloading|Updating|Locking|Adding|Fresh|Finished|Blocking) |^warning: build failed, waiting"
    r"|^For more information about|^help: to generate the lock file|^Some errors have detailed|^\s*note: run with `RUST_BACKTRACE"
)
_MOST_SHOWN = 14
_HINT = "Does it build on your machine? Try: cargo build --release"


def refusal(lines: Sequence[str]) -> Refusal:
    """The first kind that any line shows."""
    useful = [line.rstrip()[:300] for line in lines if not _NOISE.search(line)]
    text = "\n".join(useful)
    if any(_PLACE.search(line) for line in useful) and "could not compile `" in text:
        return Refusal(OTHER, _not_compiled(text), _compiler(useful), _HINT)
    for kind in _KINDS:
        if re.search(kind.pattern, text, re.MULTILINE):
            return Refusal(kind.code, kind.cause, _errors(useful), kind.hint)
    return Refusal(OTHER, "cargo could not build the app", _errors(useful), _HINT)


def _not_compiled(text: str) -> str:
    found = re.search(r"could not compile `([^`]+)`", text)
    return f"{found[1]} does not compile" if found else "the app does not compile"


def _compiler(lines: Sequence[str]) -> list[str]:
    """Each error with its place and the source lines there; warnings are left out."""
    shown: list[str] = []
    taking = False
    for line in lines:
        if re.search(_COMPILE, line):
            taking = "could not compile" not in line and "aborting due to" not in line
        elif re.match(r"warning(:|\[)", line):
            taking = False
        if taking and line.strip() != "|":
            shown.append(line)
    return shown[:_MOST_SHOWN]


def _errors(lines: Sequence[str]) -> list[str]:
    """From the first error on; of a build script what it wrote to stderr, and not what it told cargo."""
    marks = [index for index, line in enumerate(lines) if line.strip() == "--- stderr"]
    if marks:
        said = [f"  {line.strip()}" for line in lines[marks[0] + 1 :] if not line.startswith("warning:")]
        what = [line.removeprefix("error: ") for line in lines if "failed to run custom build command" in line]
        return [*what[:1], *said[: _MOST_SHOWN - 1]]
    first = next(
        (index for index, line in enumerate(lines) if line.startswith("error")), max(0, len(lines) - _MOST_SHOWN)
    )
    return [line.removeprefix("error: ") for line in lines[first : first + _MOST_SHOWN]]
