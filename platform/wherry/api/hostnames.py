"""Host names as people write them, in the one form that is kept: lower case, A-labels, no dot at the end."""

from __future__ import annotations

import unicodedata

import idna
from publicsuffixlist import PublicSuffixList

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_SUFFIXES = PublicSuffixList(accept_unknown=False)


def canonical(text: object) -> object:
    """The A-labels of an international name (UTS 46, IDNA 2008); anything that is no text, or plain, as it is.

    Raises InvalidInput for a name that IDNA refuses, one of mixed scripts in a label, and one that anybody can register
    names under (co.uk).
    """
    if not isinstance(text, str):
        return text
    name = text.lower()
    star, rest = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    if not rest.isascii() or "xn--" in rest:
        rest = _a_labels(rest, text)
    if _SUFFIXES.publicsuffix(rest) == rest:
        raise _refused(text, f"hostname: anybody can register names under {printable(rest, 60)}")
    return star + rest


def _a_labels(name: str, text: str) -> str:
    try:
        encoded = idna.encode(name, uts46=True).decode("ascii")
        labels = [idna.decode(label) for label in encoded.split(".")]
    except (idna.IDNAError, UnicodeError) as error:
        raise _refused(text, f"hostname: {printable(str(error), 120)}") from None
    for label in labels:
        if len(scripts := {_script(letter) for letter in label if letter.isalpha()}) > 1:
            raise _refused(text, f"hostname: a label mixes scripts: {', '.join(sorted(scripts))}")
    return encoded


def _script(letter: str) -> str:
    """Han, Hiragana and Katakana stand in one label as a matter of course (Unicode TR 39, section 5.1)."""
    name = unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
    return "CJK" if name in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL") else name


def _refused(text: str, problem: str) -> InvalidInput:
    return InvalidInput(f"'{printable(text, 80)}' is not a domain for an app", problems=[problem])
