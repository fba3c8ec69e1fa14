"""What went wrong, told from Composer's words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from talk import BAD_SOURCE, FAILED, NETWORK, NOT_AVAILABLE, Refusal

_CAUSES: tuple[tuple[str, int, str, str], ...] = (
    (
        r"requires php \S.*(does not satisfy|not satisfied)|your php version .* does not satisfy",
        NOT_AVAILABLE,
        "packages of composer.lock want another PHP than there is here",
        "Is composer.lock made for this PHP? Try: composer update",
    ),
    (
        r"requires (PHP extension )?ext-\S+ .*(missing|not have|is not present)|it is missing from your system",
        BAD_SOURCE,
        "a PHP extension is missing",
        "Name it among what the app requires. Try: composer require 'ext-NAME:*'",
    ),
    (
        r"curl error (5|6|7|28|35|52|56|60|77)\b|Could not resolve host|could not be downloaded|Connection (refused|timed out)"
        r"|TransportException|Failed to open stream: (php_network|Connection)|Network is unreachable|SSL certificate problem",
        NETWORK,
        "the package server cannot be reached",
        "Is it reachable from builds? Pushing again is worth a try.",
    ),
    (
        r"lock file is not up to date|not present in the lock file|lock file does not contain a compatible",
        BAD_SOURCE,
        "composer.lock does not match composer.json",
        "Write it anew and commit it. Try: composer update --lock && git add composer.lock",
    ),
    (
        r"Source path \".*\" is not found|url supplied for the path .* does not exist",
        BAD_SOURCE,
        "a folder that composer.lock names is not there",
        "Is it committed? Try: git status --ignored",
    ),
    (
        r"Your requirements could not be resolved|could not be found in any version",
        BAD_SOURCE,
        "the packages that the app asks for cannot be had together",
        "Does it install on your machine? Try: composer install --no-dev",
    ),
    (
        r"^Script .* (handling the|returned with error code)",
        FAILED,
        "a script of composer.json failed",
        "Does it work on your machine? Try: composer install --no-dev",
    ),
)
_MOST, _MOST_OF_NETWORK = 14, 4


def begins(said: Sequence[str]) -> bool:
    """Whether the lines so far hold an error: from there on they are told as one."""
    return any(re.search(pattern, line) for line in said for pattern, *_ in _CAUSES)


def refusal(said: Sequence[str]) -> Refusal:
    lines = [line.strip() for line in said if line.strip()]
    for pattern, code, cause, hint in _CAUSES:
        for number, line in enumerate(lines):
            if re.search(pattern, line):
                if code == NETWORK:
                    told = list(dict.fromkeys(each for each in lines if re.search(pattern, each)))
                    return Refusal(code, cause + _hosts(told), *told[:_MOST_OF_NETWORK], "", hint)
                return Refusal(code, cause, *lines[max(number - 1, 0) :][:_MOST], "", hint)
    hint = "Does it install on your machine? Try: composer install --no-dev"
    return Refusal(FAILED, "Composer could not install the packages", *lines[-_MOST:], "", hint)


def _hosts(told: Sequence[str]) -> str:
    found = [match for line in told for match in re.findall(r"https?://([^/\s\"':@]+)|resolve host: ([\w.-]+\w)", line)]
    hosts = list(dict.fromkeys(first or second for first, second in found))
    return f": {', '.join(hosts[:3])}" if hosts else ""
