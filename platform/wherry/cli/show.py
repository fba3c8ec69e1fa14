"""How things are shown: data on stdout, talk on stderr, colours on a terminal only, nothing that could move a cursor."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from wherry.domain.text import log_line, printable

_WIDEST = 300


def data(value: object) -> None:
    """JSON, for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def title(text: str) -> None:
    click.secho(f"=== {safe(text)}", bold=True)


def line(text: str) -> None:
    """One line of data."""
    click.echo(text)


def exact(text: str) -> None:
    """A user's own value: byte for byte into a pipe or file; on a terminal without what could move its cursor."""
    if sys.stdout.isatty():
        text = "\n".join(_logged(part) for part in text.split("\n"))
    sys.stdout.write(text + "\n")


def log(text: str) -> None:
    """A line that the server sent: escaped again here, since a terminal trusts nobody. Its colours pass."""
    click.echo(_logged(text))


def talk_log(text: str) -> None:
    click.echo(_logged(text), err=True)


def talk(text: str) -> None:
    click.echo(text, err=True)


def warn(text: str) -> None:
    click.echo(click.style(" ›     ", fg="yellow") + text, err=True)


def safe(value: object) -> str:
    return printable(str(value), _WIDEST)


def table(rows: Sequence[Sequence[object]], head: Sequence[str] | None = None) -> None:
    """Columns aligned by two blanks; the last one runs free, so that no line ends in blanks."""
    shown = [[safe("" if cell is None else cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    if not shown:
        return
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]) - 1)]
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[-1]]).rstrip())


def pairs(items: Sequence[tuple[str, object]]) -> None:
    """``Key:   value``, aligned."""
    width = max((len(key) for key, _ in items), default=0) + 1
    for key, value in items:
        click.echo(f"{key + ':':<{width}} {safe(value)}".rstrip())


def shell(values: Mapping[str, str]) -> None:
    """``KEY=value`` a line, quoted so that a shell reads back each byte."""
    for key, value in values.items():
        exact(f"{key}={shlex.quote(value)}")


def changes(found: Sequence[Mapping[str, Any]]) -> None:
    """One line each: + what comes, - what goes, ~ what becomes another."""
    for each in found:
        before, after = each["before"], each["after"]
        sign, colour = ("+", "green") if before is None else ("-", "red") if after is None else ("~", "yellow")
        what = f"{each['area']} {each['name']}" if each["name"] else each["area"]
        said = f"{safe(before)} -> {safe(after)}" if sign == "~" else safe(after if sign == "+" else before)
        click.echo(f"{click.style(sign, fg=colour)} {safe(what)}: {said}")
    if not found:
        talk("Nothing changes.")


@contextmanager
def action(doing: str) -> Iterator[Done]:
    """``Doing... done, v3`` on stderr: the first half at once, the second when the block ends."""
    click.echo(f"{doing}... ", nl=False, err=True)
    sys.stderr.flush()
    done = Done()
    try:
        yield done
    except BaseException:
        click.echo(click.style("!", fg="red"), err=True)
        raise
    click.echo("done" + (f", {safe(done.with_)}" if done.with_ else ""), err=True)


class Done:
    with_: str = ""


def time(text: Any, now: datetime | None = None) -> str:
    """Heroku's way: ``2026/08/01 12:34:56 +0000 (~ 5m ago)``; the relative part ends after 25 hours."""
    try:
        at = datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return safe(text or "")
    ago = ((now or datetime.now(UTC)) - at).total_seconds()
    shown = at.strftime("%Y/%m/%d %H:%M:%S +0000")
    if not 0 <= ago < 25 * 3600:
        return shown
    for unit, seconds in (("h", 3600), ("m", 60), ("s", 1)):
        if ago >= seconds:
            return f"{shown} (~ {int(ago // seconds)}{unit} ago)"
    return f"{shown} (~ 0s ago)"


def _logged(text: str) -> str:
    return log_line(text.encode("utf-8", "replace"), limit=100_000)
