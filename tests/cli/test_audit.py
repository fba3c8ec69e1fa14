"""wherry audit and audit:verify, typed."""

from __future__ import annotations

import json
import sqlite3

from tests.api.house import House
from tests.cli.conftest import Terminal


def test_t36_audit_lists_and_verify_names_the_first_event_that_was_edited(
    house: House, terminal: Terminal, app: str
) -> None:
    assert terminal.wherry("config:set", "-a", app, "A=1", "--no-wait").code == 0
    said = terminal.wherry("audit", "-a", app, "-n", "3")
    assert [word in said.out for word in ("config.change", "set=A", "owner@example.org", "api 127.0.0.1")] == [
        True
    ] * 4, said.out
    events = json.loads(terminal.wherry("audit", "-a", app, "--json").out)
    assert events[-1]["action"] == "app.create"
    assert terminal.wherry("audit", "--all").code == 7
    terminal.env["WHERRY_API_KEY"] = house.token("admin")
    assert app in terminal.wherry("audit").out
    whole = terminal.wherry("audit:verify")
    assert (whole.code, "unbroken" in whole.out) == (0, True), whole.err
    head = whole.out.split()[-1]
    assert terminal.wherry("audit:verify", "--head", head).code == 0
    number = events[0]["number"]
    with sqlite3.connect(house.folder / "ledger.db", timeout=10) as connection:
        kept = connection.execute("SELECT actor FROM events WHERE id = ?", [number]).fetchone()
        connection.execute("UPDATE events SET actor = 'eve@example.org' WHERE id = ?", [number])
    connection.close()
    broken = terminal.wherry("audit:verify")
    assert (broken.code, f"changed at event {number}" in broken.err) == (1, True), broken.err
    assert json.loads(terminal.wherry("audit:verify", "--json").out)["broken"]["number"] == number
    with sqlite3.connect(house.folder / "ledger.db", timeout=10) as connection:
        connection.execute("UPDATE events SET actor = ? WHERE id = ?", [*kept, number])
    connection.close()
    assert terminal.wherry("audit:verify").code == 0
