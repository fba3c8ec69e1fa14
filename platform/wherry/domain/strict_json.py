"""JSON that others wrote, read so that it has one meaning: no key twice, no NaN, and only text that can be kept."""

from __future__ import annotations

import json

from wherry.domain.text import printable


def read(content: bytes, encoding: str = "utf-8") -> object:
    """Raises ValueError, whose words are for whoever wrote it."""
    try:
        value: object = json.loads(content.decode(encoding), object_pairs_hook=_unambiguous, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text: nothing could keep it
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key '{printable(twice, 60)}' stands twice")
    return result


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
