"""Builds of what lies on this machine, without git: packed, uploaded, built and released."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import click

from wherry.cli import show
from wherry.cli.commands.builds import follow
from wherry.cli.common import app_option, client, follow_rollout, json_option
from wherry.cli.errors import Usage

_NEVER = {".git", ".hg", ".svn", ".wherry"}


@click.command("builds:create")
@app_option
@click.option(
    "--source-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to build. Default: this one.",
)
@click.option(
    "--source-tar", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A .tar or .tar.gz instead."
)
@click.option("--version", default="", help="Your words for what it is.")
@click.option("--no-wait", is_flag=True, help="Return at once; the build goes on by itself.")
@json_option
def create(app: str, source_dir: Path, source_tar: Path | None, version: str, no_wait: bool, as_json: bool) -> None:
    """Build and release a folder or an archive. In a git repository, what .gitignore names stays out."""
    api = client()
    with tempfile.TemporaryFile() as packed:
        if source_tar is None:
            with show.action("Packing") as done:
                done.with_ = f"{_pack(source_dir, packed)} files"
        archive = source_tar.open("rb") if source_tar else packed
        with archive, show.action("Uploading") as done:
            blob = api.post("sources")["source_blob"]
            done.with_ = f"{api.upload(blob['put_url'], archive) / 1e6:.1f} MB"
    body = {"source_blob": {"url": blob["get_url"], "version": version}}
    build = api.post("apps", app, "builds", body=body)
    if as_json:
        show.data(build)
    if no_wait:
        return
    ended = follow(api, app, build)
    if ended["release"]:
        follow_rollout(api, app, api.get("apps", app, "releases", ended["release"]["id"]))


def _pack(folder: Path, into: IO[bytes]) -> int:
    names = _of_git(folder) or sorted(_all(folder))
    if not names:
        raise Usage(f"there is nothing to build in {folder}")
    with tarfile.open(fileobj=into, mode="w:gz", compresslevel=1) as tar:
        for name in names:
            tar.add(folder / name, name, recursive=False)
    into.seek(0)
    return len(names)


def _all(folder: Path) -> Sequence[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return [str(path) for path in found if not _NEVER.intersection(path.parts)]


def _of_git(folder: Path) -> Sequence[str]:
    """What git would not ignore; none where this is no repository."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    names = [name.decode("utf-8", "surrogateescape") for name in done.stdout.split(b"\0") if name]
    return [name for name in names if (folder / name).is_symlink() or (folder / name).is_file()]
