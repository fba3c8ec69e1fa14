"""`wherry webhooks`: who is told of what happens to an app."""

from __future__ import annotations

import json

from wherry.api.announce import Announcements
from wherry.flow.webhook_news import EnqueueNews

from tests.api.house import House
from tests.cli.conftest import Terminal


def test_a_webhook_is_added_shown_changed_and_removed(house: House, terminal: Terminal, app: str) -> None:
    to = ("-u", "https://192.0.1.1/in")
    said = terminal.wherry("webhooks:add", "-i", "api:app,dyno", "-l", "sync", *to, "-a", app)
    assert (said.code, "=== Webhooks Signing Secret" in said.out) == (0, True), said.err
    secret = said.out.split("\n")[1]
    assert len(secret) == 60
    (found,) = json.loads(terminal.wherry("webhooks", "--json", "-a", app).out)
    assert secret not in json.dumps(found)
    assert (
        f"{found['id']}  https://192.0.1.1/in  api:app,dyno  sync   on\n" in terminal.wherry("webhooks", "-a", app).out
    )
    assert "State:      on\n" in terminal.wherry("webhooks", "info", found["id"], "-a", app).out

    terminal.wherry("maintenance:on", "-a", app)
    world = house.world
    EnqueueNews(world.ledger, world.clock, Announcements(world.settings, world.ticket_key)).run()
    (delivery,) = json.loads(terminal.wherry("webhooks", "deliveries", "-s", "pending", "--json", "-a", app).out)
    shown = terminal.wherry("webhooks", "deliveries", "info", delivery["id"], "-a", app).out
    assert '"maintenance": true' in shown
    assert "app       update" in terminal.wherry("webhooks:events", "-a", app).out
    event = terminal.wherry("webhooks:events:info", delivery["event"]["id"], "-a", app).out
    assert json.loads(event)["resource"] == "app"

    assert terminal.wherry("webhooks:update", found["id"], "-l", "notify", "-a", app).code == 0
    assert "notify" in terminal.wherry("webhooks", "-a", app).out
    refused = terminal.wherry("webhooks:add", "-i", "api:addon", "-l", "loud", "-u", "http://x", "-a", app)
    assert refused.code == 3
    for problem in ("include: api:addon: this platform has no such things", "level: must be", "url: must begin with"):
        assert problem in refused.err
    assert terminal.wherry("webhooks:remove", found["id"], "-a", app).code == 0
    assert "has no webhooks" in terminal.wherry("webhooks", "-a", app).err
