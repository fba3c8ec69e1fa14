"""Sources in memory. A commit that was not `put` has one file of its own, so that stories may make commits up."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from wherry.domain import app_json
from wherry.domain.app_json import AppJson
from wherry.domain.errors import InvalidInput, PushRefused, WherryError
from wherry.domain.model import Source


class InMemorySources:
    """`move` is what a push does to a branch. Archives are files in `folder`, and without one they are names only. `wishes`: of
    commits that have no app.json of their own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.heads: dict[int, dict[str, str]] = {}
        self.trees: dict[str, dict[str, bytes]] = {}
        self.wishes = app_json.NOTHING
        self.refusals: dict[str, WherryError] = {}

    def put(self, commit: str, files: Mapping[str, bytes]) -> None:
        self.trees[commit] = dict(files)

    def move(self, app_id: int, branch: str, commit: str) -> None:
        self.heads.setdefault(app_id, {})[branch] = commit

    def refuse(self, commit: str, error: WherryError) -> None:
        """What `export` of that commit raises from now on."""
        self.refusals[commit] = error

    def create(self, app_id: int) -> None:
        self.heads.setdefault(app_id, {})

    def remove(self, app_id: int) -> None:
        self.heads.pop(app_id, None)

    def head(self, app_id: int, branch: str) -> str | None:
        return self.heads.get(app_id, {}).get(branch)

    def take_in(self, app_id: int, archive: Path, message: str) -> Source:
        """Every archive is a commit of its own content."""
        with tarfile.open(archive) as tar:
            files = {each.name: (tar.extractfile(each) or io.BytesIO()).read() for each in tar if each.isfile()}
        commit = hashlib.sha1(archive.read_bytes()).hexdigest()
        self.put(commit, files)
        return self.export(app_id, commit, None)

    def export(self, app_id: int, commit: str, quarantine: Path | None) -> Source:
        if commit in self.refusals:
            raise self.refusals[commit]
        files = self.trees.get(commit, {"commit": commit.encode()})
        if not files:
            raise PushRefused("nothing to build: the commit that was pushed has no files")
        packed = _tar(files)
        tree = hashlib.sha1(packed).hexdigest()
        if self.folder is None:
            return Source(commit, tree, f"memory:{tree}", wishes=self._wishes(files))
        archive = self.folder / f"{tree}.tar"
        archive.write_bytes(packed)
        return Source(commit, tree, str(archive), wishes=self._wishes(files))

    def _wishes(self, files: Mapping[str, bytes]) -> AppJson:
        if app_json.NAME not in files:
            return self.wishes
        try:
            return app_json.parse(files[app_json.NAME])
        except InvalidInput as error:
            raise PushRefused(error.message, evidence=error.evidence) from error


def _tar(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in sorted(files.items()):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()
