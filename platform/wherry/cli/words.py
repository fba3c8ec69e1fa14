"""A command line inside ours: ``wherry run -x ls -la``. Options that are ours count wherever they stand, as on Heroku,
up to ``--``; whatever else begins with a dash belongs to the other command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import click

_PLAIN = re.compile(r"[^\s\"']+")


class Carrying(click.Command):
    """Its last argument takes the other command's words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours, theirs = self._split(ctx, args)
        return super().parse_args(ctx, [*ours, "--", *theirs])

    def _split(self, ctx: click.Context, args: Sequence[str]) -> tuple[list[str], list[str]]:
        takes = {
            name: not each.is_flag
            for each in self.get_params(ctx)
            if isinstance(each, click.Option)
            for name in each.opts
        }
        ours: list[str] = []
        theirs: list[str] = []
        words = list(args)
        while words:
            word = words.pop(0)
            name, equals, _ = word.partition("=")
            if word == "--":
                return ours, [*theirs, *words]
            if word in takes:
                ours += [word, *([words.pop(0)] if takes[word] and words else [])]
            elif name.startswith("--") and equals and takes.get(name):
                ours.append(word)
            else:
                theirs.append(word)
        return ours, theirs


def command_of(words: Sequence[str]) -> str:
    """One word is a line for the shell as it is. More are words of such a line, and those with blanks or quotes stay one."""
    if len(words) == 1:
        return words[0]
    return " ".join(word if _PLAIN.fullmatch(word) else shlex.quote(word) for word in words)
