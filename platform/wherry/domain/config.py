"""Config: the environment variables of an app."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from wherry.domain.errors import InvalidInput
from wherry.domain.secret import Secret
from wherry.domain.text import printable

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
RESERVED = re.compile(r"PORT|(?:CNB|WHERRY|KUBERNETES)_.*")
MOST_KEYS = 1000
LONGEST_VALUE = 32 * 1024

Config = Mapping[str, Secret]


class _Unread(Mapping[str, Secret]):
    """Nobody can take what was not read for an empty config."""

    def __getitem__(self, key: str) -> Secret:
        raise RuntimeError("this release was read without its config")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("this release was read without its config")

    def __len__(self) -> int:
        raise RuntimeError("this release was read without its config")

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Config = _Unread()
"""In the place of a config that a list of releases leaves sealed."""


def changed(config: Config, changes: Mapping[str, str | None]) -> dict[str, Secret]:
    """`config` with `changes` (None unsets; unsetting what is not set changes nothing).

    Raises InvalidInput with every fault: a key outside the grammar or reserved, a value with NUL or over 32 KiB,
    too many keys.
    """
    problems = [fault for key, value in changes.items() if (fault := _fault(key, value))]
    result = dict(config)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = Secret(value)
    if len(result) > MOST_KEYS:
        problems.append(f"{len(result)} config vars; the most is {MOST_KEYS}")
    if problems:
        raise InvalidInput("the config was not changed", problems=problems)
    return result


def _fault(key: object, value: object) -> str:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        return f"'{printable(str(key), 60)}' is not a key: letters, digits and underscores, no digit first, at most 128"
    if RESERVED.fullmatch(key):
        return f"{key} is set by the platform"
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"the value of {key} is not a string"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return f"the value of {key} is not Unicode text"
    return (
        f"the value of {key} has a NUL byte or is longer than 32 KiB" if "\0" in value or size > LONGEST_VALUE else ""
    )
