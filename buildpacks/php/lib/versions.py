"""Whether a version of PHP meets a constraint, as Composer reads them. Never another one in silence."""

from __future__ import annotations

import re

from talk import BAD_SOURCE, NOT_AVAILABLE, Refusal

_VERSION = r"v?([0-9]+)(?:\.([0-9]+|[*xX]))?(?:\.([0-9]+|[*xX]))?(?:\.[0-9*]+)?(?:-[A-Za-z0-9.]+)?(?:@[a-z]+)?"
_TERM = re.compile(rf"(\^|~|>=|<=|!=|<>|==|=|>|<)?\s*{_VERSION}")
Numbers = tuple[int, ...]


def met(constraint: str, version: str) -> bool:
    """Raises Refusal (65) for what is no constraint."""
    have = _numbers(version)
    return any(
        all(low <= have < high for low, high in _ranges(part)) and have not in _unwanted(part)
        for part in _alternatives(constraint)
    )


def series(constraint: str) -> str:
    """ "8.3" when only one series can be meant, else ""."""
    found = set()
    for part in _alternatives(constraint):
        ranges = _ranges(part)
        low = max((low for low, _high in ranges), default=(0, 0, 0))
        high = min((high for _low, high in ranges), default=(99, 0, 0))
        if high > (low[0], low[1] + 1, 0):
            return ""
        found.add(f"{low[0]}.{low[1]}")
    return found.pop() if len(found) == 1 else ""


def refusal(constraint: str, have: str, asked: str) -> Refusal:
    line = f"PHP {constraint} is not available here: have {have}"
    return Refusal(NOT_AVAILABLE, line, "", hint(".".join(have.split(".")[:2]), asked))


def hint(series: str, asked: str) -> str:
    where = "BP_PHP_VERSION" if asked == "BP_PHP_VERSION" else f'"php" in {asked}'
    return f"Ask for {series}.* by {where}, or remove it."


def _alternatives(constraint: str) -> list[str]:
    return [part.strip() for part in re.split(r"\|\|?", constraint)]


def _terms(part: str) -> list[re.Match[str]]:
    if hyphen := re.fullmatch(r"([0-9.]+)\s+-\s+([0-9.]+)", part):
        low, high = hyphen.groups()
        dots = high.count(".")
        part = f">={low} <={high}" if dots == 2 else f">={low} <{_text(_bump(_numbers(high), dots))}"
    words = re.sub(r"(\^|~|>=|<=|!=|<>|==|=|>|<)\s+", r"\1", part).replace(",", " ").split()
    matches = [_TERM.fullmatch(word) for word in words if word != "*"]
    if not words or None in matches:
        raise Refusal(BAD_SOURCE, f"this is no constraint on PHP: {part[:60]!a}", "", "Write one like ^8.2 or 8.2.*")
    return [match for match in matches if match]


def _ranges(part: str) -> list[tuple[Numbers, Numbers]]:
    """Each from a version on and below another."""
    ranges = []
    for term in _terms(part):
        op, given = term[1] or "", [each for each in term.groups()[1:4] if each is not None and each.isdigit()]
        low = _numbers(".".join(given))
        exact = len(given) == 3
        wild = not exact and (op in ("", "=", "==")) and any(each in ("*", "x", "X") for each in term.groups()[1:4])
        after = _bump(low, len(given) - 1) if wild else (low[0], low[1], low[2] + 1)
        if op == "^":
            ranges.append((low, _bump(low, 0 if low[0] else 1)))
        elif op == "~":
            ranges.append((low, _bump(low, max(len(given) - 2, 0))))
        elif op in ("", "=", "=="):
            ranges.append((low, after))
        elif op in (">=", ">"):
            ranges.append((low if op == ">=" else after, (99, 0, 0)))
        elif op in ("<", "<="):
            ranges.append(((0, 0, 0), low if op == "<" else after))
    return ranges


def _unwanted(part: str) -> set[Numbers]:
    return {_numbers(".".join(filter(None, term.groups()[1:4]))) for term in _terms(part) if term[1] in ("!=", "<>")}


def _bump(numbers: Numbers, place: int) -> Numbers:
    return (*numbers[:place], numbers[place] + 1, *(0 for _ in numbers[place + 1 :]))


def _numbers(version: str) -> Numbers:
    found = [int(part) for part in re.findall("[0-9]+", version)[:3]]
    return tuple([*found, 0, 0, 0][:3])


def _text(numbers: Numbers) -> str:
    return ".".join(map(str, numbers))
