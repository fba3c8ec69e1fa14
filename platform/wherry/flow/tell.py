"""What was done to an app, told in its log: each event of the ledger, once, in Heroku's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wherry.domain.errors import RolloutFailure
from wherry.domain.log import APP, PLATFORM, Entry, LogLine
from wherry.domain.model import Event
from wherry.domain.paging import Window
from wherry.domain.text import printable
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs

AT_ONCE = 200
_POSITION = "events"
_KEY = "api"
_PROCESS = re.compile(r"[a-z0-9-]+\.[0-9]+(?= )")


@dataclass(frozen=True)
class TellEvents:
    ledger: Ledger
    logs: AppLogs

    def run(self) -> None:
        """All that have come since the last call. A line that was told before a crash is not told again."""
        told = int(self.logs.position(_POSITION) or 0)
        while found := self._after(told):
            for event in found:
                if event.app_id is not None:
                    self.logs.append(event.app_id, entries(event))
                told = event.id
            self.logs.move(_POSITION, str(told))

    def _after(self, number: int) -> list[Event]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.events.page(None, Window(start=number, after=True, most=AT_ONCE))


def entries(event: Event) -> list[Entry]:
    at = event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    sentences = _SENTENCES.get(event.action)
    said = sentences(event.before, event.after) if sentences else []
    by = "" if event.action in _OF_ITSELF else f" by user {event.actor}"
    lines = [LogLine(at, APP, "api", printable(text + by, 1000)) for text in said]
    if late := _late(event):
        lines.insert(0, LogLine(at, PLATFORM, late[0], printable(late[1], 1000)))
    return [Entry(line, _KEY, f"{event.id:016}/{number}") for number, line in enumerate(lines)]


Values = Mapping[str, object]


def _release(before: Values, after: Values) -> list[str]:
    return [f"{after.get('description', '')}", f"Release {after.get('release', '')} created"]


def _finished(before: Values, after: Values) -> list[str]:
    return [f"Release {after.get('release', '')} failed"] if after.get("status") == "failed" else []


def _late(event: Event) -> tuple[str, str] | None:
    """The process that did not boot in time, and what the platform says of it, by Heroku's code."""
    if event.action != "release.finish" or event.after.get("failure") != RolloutFailure.NOT_LISTENING:
        return None
    message = str(event.after.get("message", ""))
    process = _PROCESS.match(message)
    return process[0] if process else "web", f"Error R10 (Boot timeout) -> {message}"


def _scaled(before: Values, after: Values) -> list[str]:
    """``Scaled to web@2:standard``: those that changed."""
    changed = [f"{name}@{to}" for name, to in after.items() if before.get(name) != to]
    return [f"Scaled to {' '.join(changed)}"] if changed else []


def _autoscaled(before: Values, after: Values) -> list[str]:
    return [f"Autoscaling {name} from {to}" for name, to in after.items()]


def _pushed(before: Values, after: Values) -> list[str]:
    return ["Build started"]


def _built(before: Values, after: Values) -> list[str]:
    number = after.get("build", "")
    return {
        "succeeded": ["Build succeeded"],
        "failed": [f"Build failed -- check your build output: wherry builds:output {number}"],
        "cancelled": ["Build stopped: a newer push superseded it"],
    }.get(str(after.get("status")), [])


def _switched_off(before: Values, after: Values) -> list[str]:
    return [f"Webhook switched off: {after.get('reason', '')}. To see which: wherry webhooks"]


def _maintained(before: Values, after: Values) -> list[str]:
    return [f"Maintenance {'on' if after.get('maintenance') in (True, 'on') else 'off'}"]


_OF_ITSELF = ("domain.check", "domain.doubt", "build.finish", "release.finish", "webhook.off")
_SENTENCES: dict[str, Callable[[Values, Values], list[str]]] = {
    "app.create": lambda before, after: ["App created"],
    "app.maintenance": _maintained,
    "app.rename": lambda before, after: [f"Renamed from {before.get('name', '')} to {after.get('name', '')}"],
    "autoscaling.enable": _autoscaled,
    "autoscaling.disable": _scaled,
    "build.cancel": lambda before, after: ["Build stopped"],
    "build.create": _pushed,
    "build.finish": _built,
    "domain.check": lambda before, after: [f"Domain {after.get('domain', '')} is proved"],
    "domain.doubt": lambda before, after: [
        f"Domain {after.get('domain', '')} is in doubt: {after.get('reason', '')}. It still answers."
    ],
    "drain.add": lambda before, after: [f"Drain {after.get('drain', '')} added"],
    "drain.remove": lambda before, after: [f"Drain {before.get('drain', '')} removed"],
    "formation.change": _scaled,
    "push": _pushed,
    "release.create": _release,
    "release.finish": _finished,
    "app.transfer": lambda before, after: [f"Transferred from {before.get('owner', '')} to {after.get('owner', '')}"],
    "transfer.create": lambda before, after: [f"Offered to {after.get('to', '')}"],
    "webhook.add": lambda before, after: [f"Webhook to {after.get('to', '')} added"],
    "webhook.off": _switched_off,
    "webhook.remove": lambda before, after: [f"Webhook to {before.get('to', '')} removed"],
}
