"""Which Ruby an app wants, and whether a Ruby is that one. Never another one in silence."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from talk import BAD_SOURCE, NOT_AVAILABLE, Refusal

_WORD = re.compile(r"(?:(=|!=|>=|<=|>|<|~>)\s*)?([0-9]+(?:\.[0-9]+){0,3})(?:[.-]?(?:p|preview|rc)[0-9]+)?")
_DIRECTIVE = re.compile(r"^[ \t]*ruby[ \t(]+(.*)$", re.MULTILINE)
_LOCKED = re.compile(r"^RUBY VERSION\n[ ]+ruby ([0-9]+\.[0-9]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`rules` as (operator, version) pairs, none for any Ruby; `asked`: the file or variable that says so."""

    rules: tuple[tuple[str, str], ...] = ()
    asked: str = ""
    engine: str = ""

    @property
    def words(self) -> str:
        return ", ".join(version if op == "=" else f"{op} {version}" for op, version in self.rules).replace("== ", "")

    @property
    def series(self) -> str:
        """ "3.1" when only one series of Ruby can be meant, else ""."""
        for op, version in self.rules:
            parts = version.split(".")
            if len(parts) >= 2 and (op in ("=", "==") or (op == "~>" and len(parts) >= 3)):
                return ".".join(parts[:2])
        return ""

    def met_by(self, version: str) -> bool:
        return all(_meets(version, op, wanted) for op, wanted in self.rules)


def wanted(app: Path) -> Wanted:
    """Raises Refusal for what is no version."""
    if given := os.environ.get("BP_RUBY_VERSION", "").strip():
        return Wanted(_rules([given], "BP_RUBY_VERSION", loose=True), "BP_RUBY_VERSION")
    found = _of_gemfile(app)
    if found.rules or found.engine:
        return found
    file = app / ".ruby-version"
    if file.is_file() and (text := _first_line(file)):
        return _of_name(text, ".ruby-version")
    lock = app / "Gemfile.lock"
    if lock.is_file() and (match := _LOCKED.search(lock.read_text("utf-8", "replace").replace("\r", ""))):
        # Bundler itself takes any Ruby of the series there.
        return Wanted((("==", match[1]),), "Gemfile.lock")
    return Wanted()


def refusal(wanted: Wanted, have: str) -> Refusal:
    if wanted.engine:
        return Refusal(NOT_AVAILABLE, f"the Ruby engine {wanted.engine} is not available here: have ruby {have}")
    line = f"Ruby {wanted.words} is not available here: have {have}"
    return Refusal(NOT_AVAILABLE, line, "", hint(wanted, ".".join(have.split(".")[:2])))


def hint(wanted: Wanted, series: str) -> str:
    in_gemfile = wanted.asked.startswith("Gemfile")
    line = f'ruby "~> {series}.0" in the Gemfile' if in_gemfile else f"{series} in {wanted.asked}"
    return f"Ask for {line}, or remove it. A Dockerfile may bring any Ruby."


def _of_gemfile(app: Path) -> Wanted:
    """The `ruby` line as far as it can be read without running it; Bundler checks it again."""
    for match in _DIRECTIVE.finditer((app / "Gemfile").read_text("utf-8", "replace")):
        line = match[1]
        if engine := re.search(r"engine:?\s*(?:=>)?\s*['\"]([a-z]+)['\"]", line):
            if engine[1] != "ruby":
                return Wanted(asked="Gemfile", engine=engine[1])
            line = line[: engine.start()]
        if file := re.match(r"(?:file:|File\.read\()\s*['\"]([A-Za-z0-9._-]+)['\"]", line):
            path = app / file[1]
            return _of_name(_first_line(path), file[1]) if path.is_file() else Wanted()
        texts = re.match(r"((?:['\"][^'\"]*['\"][\s,]*)+)", line)
        if texts and (words := re.findall(r"['\"]([^'\"]*)['\"]", texts[1])):
            return Wanted(_rules(words, "Gemfile", loose=False), "Gemfile")
    return Wanted()


def _of_name(text: str, asked: str) -> Wanted:
    """ "3.1.2", "ruby-3.1.2", "jruby-9.4"; with .tool-versions, "ruby 3.1.2"."""
    engine, _, version = text.replace(" ", "-").rpartition("-")
    if engine not in ("", "ruby"):
        return Wanted(asked=asked, engine=engine[:40])
    return Wanted(_rules([version], asked, loose=True), asked)


def _rules(words: list[str], asked: str, *, loose: bool) -> tuple[tuple[str, str], ...]:
    """`loose`: "3.1" means any 3.1."""
    rules = []
    for word in (part.strip() for each in words for part in each.split(",")):
        match = _WORD.fullmatch(word)
        if not match:
            raise Refusal(
                BAD_SOURCE, f"{asked} does not name a version of Ruby: {word[:60]!a}", "", "Write one like 3.1.2."
            )
        rules.append((match[1] or ("==" if loose else "="), match[2]))
    return tuple(rules)


def _meets(version: str, op: str, wanted: str) -> bool:
    """As Gem::Requirement does; "==" is ours: wanted is a beginning of version."""
    have, want = _numbers(version), _numbers(wanted)
    if op == "==":
        return have[: len(want)] == want
    if op == "~>":
        return have[: max(len(want) - 1, 1)] == want[: max(len(want) - 1, 1)] and have >= want
    width = max(len(have), len(want))
    left, right = have + (0,) * (width - len(have)), want + (0,) * (width - len(want))
    results = {"=": left == right, "!=": left != right, ">": left > right, "<": left < right, ">=": left >= right}
    return results.get(op, left <= right)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _first_line(file: Path) -> str:
    for line in file.read_text("utf-8-sig", "replace").split("\n"):
        text = line.partition("#")[0].strip()
        if text.startswith("ruby ") or (text and " " not in text):
            return text
    return ""
