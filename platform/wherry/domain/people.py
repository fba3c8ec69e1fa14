"""People's addresses and names: one grammar each, by fullmatch, refused rather than cleaned."""

from __future__ import annotations

import re

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?")
_LONGEST_NAME = 100
_LONGEST_DESCRIPTION = 200


def email_address(text: object) -> str:
    """As it was written; upper and lower case are one person's all the same. Raises InvalidInput."""
    if isinstance(text, str) and _EMAIL.fullmatch(text) and ".." not in text:
        return text
    shown = printable(text, 80) if isinstance(text, str) else type(text).__name__
    raise InvalidInput(f"'{shown}' is not an e-mail address", problems=["user: must be as name@example.org"])


def person_name(text: object) -> str:
    return _words(text, "name", _LONGEST_NAME)


def token_description(text: object) -> str:
    """Empty for none."""
    return _words("" if text is None else text, "description", _LONGEST_DESCRIPTION)


def _words(text: object, key: str, most: int) -> str:
    if isinstance(text, str) and len(text) <= most and printable(text, most) == text:
        return text.strip()
    raise InvalidInput(
        "nothing was changed", problems=[f"{key}: at most {most} characters, none of them a control character"]
    )
