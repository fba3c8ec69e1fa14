"""What went wrong, told from the words of Maven, Gradle and the compilers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from talk import BAD_SOURCE, FAILED, NETWORK, Refusal

_MOST_SHOWN = 30
_COMPILER = re.compile(r"\[ERROR\] (?:file:(?://)?)?(/.*?\.(?:java|kt|scala|groovy)):\[?(\d+)[,:](\d+)\]?:? (.*)")
_JAVAC = re.compile(r"(?::[\w:-]+)?(/.*?\.(?:java|groovy)):(\d+): error: (.*)")
_KOTLINC = re.compile(r"e: (?:file://)?(/.*?\.kts?):(\d+):(\d+):? (.*)")
_NOT_THERE = re.compile(r"(?:Could not find artifact|Failure to find|Could not find) ([\w.-]+(?::[\w.${}-]+){2,4})")
_ABSENT = re.compile(r"([\w.-]+(?::[\w.${}-]+){2,4}) was not found in ")
_NETWORK = re.compile(
    r"Could not transfer|Connection refused|Connect to \S+ .*failed|Unknown host|UnknownHostException|timed out"
    r"|Connection reset|PKIX path building failed|Network is unreachable|No route to host|Could not (?:GET|HEAD) '"
    r"|status code: 5\d\d|Received status code 5\d\d"
)
_LOGIN = re.compile(r"authentication failed|authorization failed|status code: 40[13]|40[13] (?:Unauthorized|Forbidden)")
_BAD_POM = re.compile(
    r"Non-parseable POM|The build could not read \d+ project|Some problems were encountered while proc"
)
_NOISE = re.compile(
    r"^$|^-> ?\[Help|^\[Help \d+\]|^To see the full stack|^Re-run Maven|^For more information|^COMPILATION ERROR"
    r"|^After correcting the problems|^  mvn <args>"
)


def of_maven(said: Sequence[str], app: Path, command: str) -> Refusal:
    if found := _maven_compiler(said, app):
        return _compile_error(found, command)
    errors = [line.removeprefix("[ERROR]").strip() for line in said if line.startswith("[ERROR]")]
    errors = [re.sub(r" -> \[Help \d+\]$", "", line) for line in errors]
    errors = list(dict.fromkeys(line for line in errors if not _NOISE.search(line)))
    text = "\n".join(errors)
    if _LOGIN.search(text):
        cause = "a repository asks for a login"
        hint = "Let a settings.xml of the app name it by ${env.NAME}, and type: wherry config:set NAME=…"
        return Refusal(BAD_SOURCE, cause, *errors[:_MOST_SHOWN], "", hint)
    if _NETWORK.search(text):
        cause = "Maven could not fetch what the app needs"
        return Refusal(NETWORK, cause, *errors[:_MOST_SHOWN])
    if missing := _NOT_THERE.search(text) or _ABSENT.search(text):
        cause = f"there is no {missing[1]} in the repositories of this build"
        hint = f"Are its name and its version right? Try: {command}"
        return Refusal(BAD_SOURCE, cause, *errors[:_MOST_SHOWN], "", hint)
    hint = f"Does it build on your machine? Try: {command}"
    if "option 5 is no longer supported" in text:
        cause = "this Maven's own maven-compiler-plugin is too old for maven.compiler.release"
        hint = "Name a version of the plugin in pom.xml (3.8.0 or later), or bring a newer Maven: mvn wrapper:wrapper"
        return Refusal(BAD_SOURCE, cause, *errors[:_MOST_SHOWN], "", hint)
    if _BAD_POM.search(text):
        return Refusal(BAD_SOURCE, "the pom.xml cannot be read", *errors[:_MOST_SHOWN], "", hint)
    errors = errors or [line for line in said if line][-_MOST_SHOWN:]
    return Refusal(FAILED, "the Maven build failed", *errors[:_MOST_SHOWN], "", hint)


def of_gradle(said: Sequence[str], app: Path, command: str) -> Refusal:
    found = []
    for number, line in enumerate(said):
        if match := _JAVAC.fullmatch(line):
            found.append(f"{_inside(match[1], app)}:{match[2]}: error: {match[3]}")
            found += [each for each in said[number + 1 : number + 3] if each.startswith(" ") or "^" in each]
        elif match := _KOTLINC.fullmatch(line):
            found.append(f"{_inside(match[1], app)}:{match[2]}:{match[3]}: error: {match[4]}")
    if found:
        return _compile_error(found, command)
    start = next((number for number, line in enumerate(said) if line.startswith("* What went wrong")), len(said))
    told = said[start + 1 :]
    end = next((number for number, line in enumerate(told) if line.startswith("* ")), len(told))
    errors = [line for line in told[:end] if line.strip()] or [line for line in said if line][-_MOST_SHOWN:]
    text = "\n".join(errors)
    hint = f"Does it build on your machine? Try: {command}"
    if _NETWORK.search(text):
        return Refusal(NETWORK, "Gradle could not fetch what the app needs", *errors[:_MOST_SHOWN])
    if missing := _NOT_THERE.search(text):
        cause = f"there is no {missing[1].rstrip('.')} in the repositories of this build"
        return Refusal(BAD_SOURCE, cause, *errors[:_MOST_SHOWN], "", hint)
    return Refusal(FAILED, "the Gradle build failed", *errors[:_MOST_SHOWN], "", hint)


def _maven_compiler(said: Sequence[str], app: Path) -> list[str]:
    """Its lines, each once, with those that go on (symbol:, location:)."""
    found: dict[str, None] = {}
    inside = False
    for line in said:
        match = _COMPILER.fullmatch(line)
        if match:
            shown = f"{_inside(match[1], app)}:{match[2]}:{match[3]}: error: {match[4]}"
            inside = shown not in found
            found[shown] = None
        elif inside and line.startswith("  "):
            found[f"{line}"] = None
        else:
            inside = False
    return list(found)


def _compile_error(lines: list[str], command: str) -> Refusal:
    """The platform knows a compiler's failure by its words, not by an exit code."""
    hint = f"Does it compile on your machine? Try: {command}"
    return Refusal(FAILED, "the code does not compile", *lines[:_MOST_SHOWN], "", hint)


def _inside(path: str, app: Path) -> str:
    return path.removeprefix(f"{app}/")
