"""Names of apps and process types: one grammar each, by fullmatch, refused rather than cleaned."""

from __future__ import annotations

import re

from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.text import printable

APP_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){1,28}[a-z0-9]")

# Names that a host name, a path of ours or a namespace of Kubernetes may need, today or later.
_WORDS = """
about account admin api app apps assets auth builds dashboard default docs favicon git health help hooks internal
kube-system localhost login logout metrics oauth openapi portal pipelines regions registry robots router schema
sources stacks static status support system teams users wherry wildcard www
"""
RESERVED = frozenset(_WORDS.split())


def app_name(text: object) -> str:
    """`text` as an app's name.

    Raises InvalidInput outside the grammar (3 to 30 characters, a letter first, letters, digits and single dashes),
    Conflict for a reserved name.
    """
    if not isinstance(text, str) or not APP_NAME.fullmatch(text):
        shown = printable(text) if isinstance(text, str) else type(text).__name__
        raise InvalidInput(
            f"'{shown}' is not a name for an app",
            problems=[
                "name: 3 to 30 lower-case letters, digits and single dashes; starts with a letter, ends without a dash"
            ],
        )
    if text in RESERVED:
        raise Conflict(f"the name {text} is reserved", hint="Choose another name.")
    return text
