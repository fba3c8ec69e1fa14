"""What the docs tell to type exists: every `wherry` command and option in them, every variable, every page."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from wherry.cli.absent import ABSENT
from wherry.cli.main import wherry
from wherry.cli.names import MACHINE, joined, known, topics
from wherry.cli.words import Carrying
from wherry.supervisor.__main__ import commands as machine
from wherry.supervisor.status import NAMES as PROCESSES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
PAGES += sorted(ROOT.glob("buildpacks/*/README.md"))
BLOCK = re.compile(r"^ *```(?:sh|console)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
TYPED = re.compile(r"(?:^|[|;&(]|\$)\s*(?:[A-Z_]+=\S+\s+)*wherry +(?!\||\[OPT)([^\n;#&>)]*)", re.MULTILINE)
OPTION = re.compile(r"(?<=\s)(--?[A-Za-z][A-Za-z-]*)")


def typed(text: str) -> Iterator[str]:
    """What stands behind `wherry` wherever it is typed: in blocks a line, in the text between backquotes."""
    blocks = [match[1] for match in BLOCK.finditer(text)]
    spans = SPAN.findall(BLOCK.sub("", text).replace("\\|", "¦"))
    for piece in [*blocks, *spans]:
        yield from (match[1].partition(" | ")[0].strip() for match in TYPED.finditer(piece))


def faults(line: str) -> list[str]:
    words = joined([word for word in line.split() if word])
    if not words or words[0].startswith("-"):
        return []
    name = words[0].rstrip(",.:")
    if name in MACHINE:
        command: click.Command | None = machine.commands[name]
    elif known(name):
        command = wherry.get_command(click.Context(wherry), name)
    else:
        return [f"no command: wherry {line}"]
    assert command
    if isinstance(command, Carrying):
        return []
    has = {each for option in command.params for each in option.opts} | {"-h", "--help"}
    given = OPTION.findall(" " + " ".join(words[1:]).partition(" -- ")[0])
    return [f"no option {each}: wherry {line}" for each in given if each not in has]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_that_a_page_tells_to_type_exists(page: Path) -> None:
    assert [fault for line in typed(page.read_text()) for fault in faults(line)] == []


def test_the_commands_of_the_docs_are_found_at_all() -> None:
    found = [line for page in PAGES for line in typed(page.read_text())]
    assert len(found) > 250
    assert "releases:rollback v1" in found
    assert faults("ps:scael web=1") == ["no command: wherry ps:scael web=1"]
    assert faults("releases --nope") == ["no option --nope: wherry releases --nope"]
    assert faults("up -d") == faults("run -x ls -la") == faults("ps scale web=2") == []


def test_what_is_not_here_is_not_here_and_told_in_the_docs_and_by_the_command() -> None:
    text = (ROOT / "docs" / "coming-from-heroku.md").read_text()
    rows = [line.split("|")[1] for line in text.partition("## Not here")[2].splitlines() if line.startswith("| `")]
    absent = {name for row in rows for name in SPAN.findall(row)}
    assert absent == set(ABSENT)
    assert [name for name in ABSENT if known(name)] == []
    assert [
        fault
        for _, hint in ABSENT.values()
        for line in typed(f"`{hint.rpartition(': ')[2]}`")
        for fault in faults(line)
    ] == []


def test_every_topic_is_in_the_comparison_with_heroku() -> None:
    text = (ROOT / "docs" / "coming-from-heroku.md").read_text().partition("## Commands")[2]
    ours = {"commands", "completion", "help", "url", "users", "version", "whoami"}
    assert [name for name in topics() if name not in ours and name not in text] == []


def test_every_variable_that_the_command_reads_is_in_its_docs() -> None:
    sources = (ROOT / "platform" / "wherry" / "cli").rglob("*.py")
    read = {name for path in sources for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', path.read_text())}
    assert {"WHERRY_API_URL", "NETRC", "NO_COLOR"} <= read
    text = (ROOT / "docs" / "cli.md").read_text()
    assert sorted(name for name in read if name not in text) == []


def test_every_page_that_a_page_names_exists() -> None:
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"(?:docs|buildpacks)/[\w/-]+\.md", page.read_text())
        if not (ROOT / name).exists()
    }
    assert named == set()


def test_the_map_names_every_room_process_and_layer() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    inside = ROOT / "platform" / "wherry"
    rooms = [f"{path.parent.relative_to(inside)}/" for path in inside.rglob("__init__.py") if path.parent != inside]
    rooms = [room for room in rooms if room.count("/") == 1 or room.startswith("runtimes/")]
    modules = [path.name for path in inside.glob("*.py") if path.name != "__init__.py"]
    assert [name for name in [*rooms, *modules] if name not in text and name != "runtimes/"] == []
    assert [name for name in PROCESSES if name not in text] == []
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    drawn = text.partition("Imports go down only:")[2].partition("## ")[0].split("\n")
    layers = [re.sub(r" {2,}\S.*", "", line.strip()) for line in drawn if line.strip()]
    assert layers == [layer.replace("wherry.", "") for layer in contract["layers"]]
