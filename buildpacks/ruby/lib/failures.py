"""What went wrong, told from Bundler's words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from talk import BAD_SOURCE, FAILED, NETWORK, NOT_AVAILABLE, Refusal

_LACKS = r"Could not find (gem|compatible versions)|Could not find \S+ in (cached|any of the sources|locally installed)"
_CAUSES: tuple[tuple[str, int, str, str], ...] = (
    (
        r"There was an error parsing|^\[!\] There was an error",
        BAD_SOURCE,
        "the Gemfile cannot be read",
        "Is it Ruby? Try: ruby -c Gemfile",
    ),
    (r"Your Ruby version is |requires? ruby version|Ruby version >?=? ?\S+ is", NOT_AVAILABLE, "", ""),
    (
        r"Could not (reach|fetch specs from)|Network error|Gem::RemoteFetcher|Net::OpenTimeout|Failed to open TCP"
        r"|Could not resolve|Temporary failure|SSL_connect|certificate verify failed|too many connection resets",
        NETWORK,
        "the gem server cannot be reached",
        "Gems of vendor/cache need none. Try: bundle cache --all-platforms && git add vendor/cache",
    ),
    (
        r"deployment mode after changing|dependencies in your gemfile changed|Gemfile\.lock.*(out of sync|is frozen)"
        r"|lockfile.*(can't be updated|frozen)|you can't update|have (added|deleted|changed) (to|from|in) the Gemfile",
        BAD_SOURCE,
        "Gemfile.lock does not match the Gemfile",
        "Write it anew and commit it. Try: bundle install && git add Gemfile.lock",
    ),
    (
        r"Your bundle only supports platforms",
        BAD_SOURCE,
        "Gemfile.lock is for other systems only",
        "Try: bundle lock --add-platform x86_64-linux && git add Gemfile.lock",
    ),
    (
        r"Failed to build gem native extension|Gem::Ext::BuildError",
        FAILED,
        "a gem could not be compiled",
        "A library that it needs can be named in an Aptfile, with its -dev package.",
    ),
    (
        r"^The path `.*` does not exist",
        BAD_SOURCE,
        "a folder that the Gemfile names is not there",
        "Is it committed? Try: git status --ignored",
    ),
    (
        _LACKS,
        BAD_SOURCE,
        "gems of Gemfile.lock could not be found",
        "Does it install on your machine? Try: bundle install",
    ),
)
_MOST = 14


def begins(said: Sequence[str]) -> bool:
    """Whether the lines so far hold an error: from there on they are told as one."""
    return any(re.search(pattern, line) for line in said for pattern, *_ in _CAUSES)


def refusal(said: Sequence[str], cached: bool) -> Refusal:
    """`cached`: with vendor/cache, which Bundler then takes all gems from."""
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in said]
    for pattern, code, cause, hint in _CAUSES:
        for number, line in enumerate(lines):
            if re.search(pattern, line):
                evidence = [each for each in lines[number:] if each.strip()][:_MOST]
                if cached and pattern == _LACKS:
                    cause, hint = "vendor/cache lacks gems of Gemfile.lock", "Try: bundle cache && git add vendor/cache"
                first = [cause] if cause else []
                return Refusal(code, *first, *evidence, *(["", hint] if hint else []))
    shown = [each for each in lines if each.strip()][-_MOST:]
    return Refusal(
        FAILED, "Bundler could not install the gems", *shown, "", "Does it install on your machine? Try: bundle install"
    )
