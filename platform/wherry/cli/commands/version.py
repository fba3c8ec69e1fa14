"""The version of this command."""

from __future__ import annotations

import sys
from importlib import metadata

import click

from wherry.cli import show
from wherry.cli.common import json_option


@click.command("version")
@json_option
def version(as_json: bool) -> None:
    """Print the version of this command."""
    ours = metadata.version("wherry")
    python = ".".join(map(str, sys.version_info[:3]))
    if as_json:
        show.data({"wherry": ours, "python": python})
    else:
        show.line(f"wherry/{ours} python/{python}")
