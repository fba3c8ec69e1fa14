"""`wherry sbom`: the list, the counts, the document, and images that have none."""

from __future__ import annotations

import json

from wherry.domain.bill import Bill, Part

from tests.api.house import House
from tests.cli.conftest import Terminal
from tests.cyclonedx import valid
from tests.fakes.bills import InMemoryBills

FLASK = {"type": "library", "name": "flask", "version": "3.0", "licenses": [{"license": {"id": "BSD-3-Clause"}}]}
LIBC = {"type": "library", "name": "libc6", "version": "2.36"}


def test_a_release_says_what_it_is_made_of(terminal: Terminal, house: House, app: str) -> None:
    bills = house.world.bills
    assert isinstance(bills, InMemoryBills)
    digest = json.loads(terminal.wherry("releases:info", "-a", app, "--json").out)["image"]["digest"]
    parts = Part("base", {"components": [LIBC]}), Part("wherry/python dependencies", {"components": [FLASK]})
    bills.bills[digest] = Bill(parts, ("/layers/\x1bx",))
    try:
        said = terminal.wherry("sbom", "-a", app)
        assert said.code == 0, said.err
        assert "flask  3.0   wherry/python dependencies  BSD-3-Clause" in said.out, said.out
        assert "\x1b" not in said.err
        assert "not among these" in said.err
        counted = terminal.wherry("sbom", "v1", "--summary", "-a", app)
        assert ("1  base" in counted.out, "1  BSD-3-Clause" in counted.out) == (True, True), counted.out
        found = valid(terminal.wherry("sbom", "1", "--json", "-a", app).out)
        assert [each["name"] for each in found["components"]] == ["libc6", "flask"]
        assert found["metadata"]["component"]["version"] == "v1"
        bills.without.add(digest)
        refused = terminal.wherry("sbom", "-a", app)
        assert (refused.code, "v1: its image has no bill of materials" in refused.err) == (4, True), refused.err
    finally:
        bills.bills.pop(digest)
        bills.without.discard(digest)
