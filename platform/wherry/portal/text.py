"""How things are said on the pages. Pure: no request, no ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wherry.domain.log import LogLine
from wherry.domain.model import Event
from wherry.domain.text import log_line, printable

_WORD = re.compile(r"[a-z']+(?![^\s,:;])")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log as a page shows it. `kind`: "step" and "trouble" are the talk of a push, else empty."""

    text: str
    kind: str = ""
    at: str = ""
    process: str = ""

    @property
    def clock(self) -> str:
        """The time of day of `at` (RFC 3339), UTC."""
        return self.at[11:19]


def talk(line: str) -> Line:
    """A line of a build's or rollout's log."""
    text = plain(line.encode("utf-8", "replace"))
    kind = "step" if text.startswith("----->") else "trouble" if text.startswith(" !") else ""
    return Line(text, kind)


def app_line(line: LogLine) -> Line:
    return Line(_COLOUR.sub("", line.text), "", printable(line.at, 40), printable(line.process, 60))


def plain(raw: bytes) -> str:
    """One line of output without its colours, its other control characters escaped."""
    return _COLOUR.sub("", log_line(raw))


def clean(text: object) -> str:
    """A user's text for a page; Jinja escapes its HTML."""
    return printable(str(text))


def whole(text: str) -> str:
    """A text that must be read exactly: not cut, its lines kept, other control characters escaped."""
    return "\n".join(printable(line, len(line)) for line in text.split("\n"))


def sentence(text: str) -> str:
    """An error's message at the beginning of a line; what stands in quotes stays as it is, and an address or name does."""
    return text[:1].upper() + text[1:] if _WORD.match(text) else text


def absolute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def machine(moment: datetime) -> str:
    """For the datetime attribute."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ago(moment: datetime, now: datetime) -> str:
    """In the largest whole unit: "3 minutes ago"."""
    seconds = int((now - moment).total_seconds())
    if seconds < 5:
        return "just now"
    return f"{span(timedelta(seconds=seconds))} ago"


def span(length: timedelta) -> str:
    seconds = max(0, int(length.total_seconds()))
    for size, unit in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a second"


def activity(event: Event) -> str:
    """One sentence for one event."""
    sentence = _SENTENCES.get(event.action)
    if sentence is None:
        return clean(f"{event.action} {_pairs(event.after)}".rstrip())
    return clean(sentence(event.before, event.after))


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _push(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    return f"pushed {str(after.get('commit', ''))[:7]} to {after.get('branch', '')}, build {after.get('build', '')}"


def _config(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    parts = []
    for verb in ("set", "unset"):
        keys = after.get(verb)
        if isinstance(keys, list) and keys:
            parts.append(f"{verb} {', '.join(map(str, keys))}")
    return "; ".join(parts) or "changed the config"


def _scale(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    changed = [f"{name} from {before.get(name, '0')} to {to}" for name, to in after.items() if before.get(name) != to]
    return f"scaled {', '.join(changed)}" if changed else "scaled"


def _listed(values: object) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) and values else "what detects"


Values = Mapping[str, object]
_SENTENCES: dict[str, Callable[[Values, Values], str]] = {
    "app.destroy": lambda before, after: "destroyed the app",
    "app.maintenance": lambda before, after: f"switched maintenance {'on' if after.get('maintenance') else 'off'}",
    "app.transfer": lambda before, after: f"gave the app to {after.get('owner', '')}",
    "app.create": lambda before, after: "created the app",
    "app.rename": lambda before, after: f"renamed {before.get('name', '')} to {after.get('name', '')}",
    "autoscaling.enable": lambda before, after: (
        f"lets load scale {', '.join(f'{name} from {to}' for name, to in after.items())}"
    ),
    "autoscaling.disable": lambda before, after: (
        f"stopped scaling by load: {', '.join(f'{name} at {to}' for name, to in after.items())}"
    ),
    "build.cancel": lambda before, after: f"stopped build {after.get('build', '')}",
    "build.finish": lambda before, after: f"build {after.get('build', '')} {after.get('status', '')}",
    "build.create": lambda before, after: f"uploaded build {after.get('build', '')}",
    "buildpacks.change": lambda before, after: f"set the buildpacks to {_listed(after.get('buildpacks'))}",
    "collaborator.add": lambda before, after: f"gave {after.get('user', '')} the roles {after.get('roles', '')}",
    "collaborator.change": lambda before, after: (
        f"gave {after.get('user', '')} the roles {after.get('roles', '')} instead of {before.get('roles', '')}"
    ),
    "collaborator.remove": lambda before, after: f"took all roles from {before.get('user', '')}",
    "config.change": _config,
    "config.read": lambda before, after: (
        f"read the config of {after['release']}" if "release" in after else "read the config"
    ),
    "formation.change": _scale,
    "cron.run": lambda before, after: f"ran cron task {after.get('task', '')} as {after.get('run', '')}",
    "cron.stop": lambda before, after: f"stopped {after.get('run', '')}",
    "drain.add": lambda before, after: f"added a drain to {after.get('to', '')}",
    "drain.remove": lambda before, after: f"removed the drain to {before.get('to', '')}",
    "domain.add": lambda before, after: f"added the domain {after.get('domain', '')}",
    "domain.check": lambda before, after: f"is proved to own {after.get('domain', '')}",
    "domain.doubt": lambda before, after: f"may no longer own {after.get('domain', '')}: {after.get('reason', '')}",
    "domain.remove": lambda before, after: f"removed the domain {before.get('domain', '')}",
    "pipeline.couple": lambda before, after: (
        f"put the app into the pipeline {after.get('pipeline', '')}, stage {after.get('stage', '')}"
    ),
    "pipeline.move": lambda before, after: (
        f"moved the app from stage {before.get('stage', '')} to {after.get('stage', '')}"
    ),
    "pipeline.uncouple": lambda before, after: "took the app out of its pipeline",
    "process.restart": lambda before, after: f"restarted {after.get('process', '')}",
    "process.stop": lambda before, after: f"stopped {after.get('process', '')}",
    "push": _push,
    "release.create": lambda before, after: f"made {after.get('release', '')}: {after.get('description', '')}",
    "stack.change": lambda before, after: f"set the stack to {after.get('stack', '')}",
    "release.finish": lambda before, after: f"{after.get('release', '')} {after.get('status', '')}",
    "transfer.cancel": lambda before, after: f"took back the offer to {before.get('to', '')}",
    "transfer.create": lambda before, after: f"offered the app to {after.get('to', '')}",
    "transfer.decline": lambda before, after: "declined the app",
    "webhook.add": lambda before, after: f"added a webhook to {after.get('to', '')}",
    "webhook.change": lambda before, after: f"changed the webhook to {after.get('to', '')}",
    "webhook.off": lambda before, after: f"has a webhook that was switched off: {after.get('reason', '')}",
    "webhook.remove": lambda before, after: f"removed the webhook to {before.get('to', '')}",
}
