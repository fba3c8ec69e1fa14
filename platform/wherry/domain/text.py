"""Users' text, made safe to show in a terminal, a log or a page."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: str | bytes, limit: int = 200) -> str:
    """`text` with control, format and bidirectional characters escaped, cut to `limit` characters with an ellipsis."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    shown = "".join(_escape(char) for char in text[: limit + 1])
    return shown if len(text) <= limit and len(shown) <= limit * 10 else shown[:limit] + "…"


def _escape(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    return char.encode("unicode_escape").decode("ascii")


def log_line(raw: bytes, limit: int = 10_000) -> str:
    """One line of a program's output as text: tabs and colours stay, other control characters are escaped.

    Colour sequences (ESC [ … m) are the one escape that people's tools print and terminals need; all others could
    move the cursor or set a title, so they are shown, not run.
    """
    text = raw.decode("utf-8", "replace")[:limit]
    if text.isprintable():
        return text  # nothing hidden in it: most lines
    parts: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "\x1b" and (end := _colour_end(text, position)):
            parts.append(text[position:end])
            position = end
            continue
        char = text[position]
        parts.append(char if char == "\t" else _escape(char))
        position += 1
    return "".join(parts)


def _colour_end(text: str, start: int) -> int:
    end = start + 2
    if text[start + 1 : end] != "[":
        return 0
    while end < len(text) and text[end] in "0123456789;":
        end += 1
    return end + 1 if text[end : end + 1] == "m" else 0
