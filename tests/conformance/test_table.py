"""docs/conformance.md says of every rule which tests hold it."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_TABLE = (_HERE.parents[1] / "docs/conformance.md").read_text()


def _tests() -> set[str]:
    sources = [file.read_text() for file in _HERE.glob("test_*.py") if file != Path(__file__).resolve()]
    return {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}


def test_every_rule_has_a_row_and_every_row_has_tests() -> None:
    rows = [line.split("|") for line in _TABLE.splitlines() if re.match(r"\| [0-9]", line)]
    assert [int(number) for row in rows for number in row[1].split(",")] == list(range(1, 27))
    named = [name for row in rows for name in re.findall(r"`(test_\w+)", row[3])]
    assert [name for name in named if not any(test.startswith(name) for test in _tests())] == []
    assert [row[1] for row in rows if "`test_" not in row[3]] == []


def test_every_test_is_of_a_rule_in_the_table() -> None:
    named = re.findall(r"`(test_\w+)", _TABLE)
    assert [test for test in sorted(_tests()) if not test.startswith(tuple(named))] == []
