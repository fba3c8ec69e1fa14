"""The build: two layers, each made anew when what is asked for changed or a month has passed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bill
import cyclonedx
import lay
import wishes
from mirror import BUILD_STATUS, RUN_STATUS, Mirror, fetch_deb
from wishes import NETWORK, Refusal, Wish


def main(layers: Path, plan: Path) -> int:
    try:
        asked = wishes.read(plan, Path.cwd())
        with tempfile.TemporaryDirectory(dir=layers, prefix=".apt-") as work:
            one = Layers(layers, asked, Path(work))
            runs_on = RUN_STATUS if RUN_STATUS.exists() else BUILD_STATUS
            one.make("packages", asked.run, runs_on, asked.debs, launch=True)
            one.make("build-packages", asked.build, BUILD_STATUS, [], launch=False)
    except Refusal as refusal:
        for line in refusal.lines:
            print(f" !     {line}")
        return refusal.code
    return 0


class Layers:
    def __init__(self, folder: Path, asked: wishes.Wishes, work: Path) -> None:
        """`work` is on the same filesystem as `folder`, and goes afterwards."""
        self._folder, self._work = folder, work
        self._repositories = asked.repositories
        self._mirror: Mirror | None = None
        self._triplet = f"{os.uname().machine}-linux-gnu"

    def make(self, name: str, asked: list[Wish], status: Path, debs: list[str], *, launch: bool) -> None:
        layer = self._folder / name
        names = sorted({package for wish in asked for package in wish.packages})
        if not names and not debs:
            shutil.rmtree(layer, ignore_errors=True)
            layer.with_name(f"{name}.toml").unlink(missing_ok=True)
            cyclonedx.file_of(layer).unlink(missing_ok=True)
            return
        key = self._key([*names, *debs, *self._repositories], status)
        known = _known(layer)
        if known.get("key") == key and layer.is_dir():
            print(f"       {_shown(names, debs)}: as before")
        else:
            key = self._fresh(layer, asked, status, debs, key, known)
        self._describe(layer, key, _names(names, debs), launch)

    def _fresh(
        self, layer: Path, asked: list[Wish], status: Path, debs: list[str], key: str, known: dict[str, str]
    ) -> str:
        """Beside the old layer until it is whole; the key that counts then."""
        names = sorted({package for wish in asked for package in wish.packages})
        print(f"-----> Debian packages: {_shown(names, debs)}", flush=True)
        try:
            fetched = self._fetch(layer.name, asked, status, debs)
        except Refusal as refusal:
            if refusal.code != NETWORK or known.get("names") != _names(names, debs) or not layer.is_dir():
                raise
            print(f" !     {refusal.lines[0]}: those of the last build are used again")
            return known["key"]
        made = self._work / f"{layer.name}-made"
        made.mkdir()
        unpacked = lay.unpack(fetched, made)
        shutil.rmtree(layer, ignore_errors=True)
        made.rename(layer)
        cyclonedx.write(layer, bill.components(fetched, layer))
        lay.settle(layer)
        lay.write_env(layer, self._triplet, launch=layer.name == "packages")
        size = subprocess.run(["du", "-sm", layer], capture_output=True, text=True, check=True).stdout.split()[0]
        print(f"       {len(unpacked)} packages, {size} MB")
        return key

    def _fetch(self, name: str, asked: list[Wish], status: Path, debs: list[str]) -> Path:
        """A folder with the files of the packages. Raises Refusal."""
        into = self._work / f"{name}-debs"
        into.mkdir()
        if any(wish.packages for wish in asked):
            if self._mirror is None:
                mirror = Mirror(self._work, self._repositories)
                mirror.update()
                self._mirror = mirror
            self._mirror.fetch(asked, status, into)
        for url in debs:
            fetch_deb(url, into)
        return into

    def _key(self, parts: list[str], status: Path) -> str:
        installed = hashlib.sha256(status.read_bytes()).hexdigest()
        month = datetime.now(UTC).strftime("%Y-%m")
        return hashlib.sha256(repr((3, parts, installed, month, self._triplet)).encode()).hexdigest()

    def _describe(self, layer: Path, key: str, names: str, launch: bool) -> None:
        types = "launch = true\nbuild = true\ncache = true" if launch else "build = true\ncache = true"
        metadata = f"key = {json.dumps(key)}\nnames = {json.dumps(names)}"
        layer.with_name(f"{layer.name}.toml").write_text(f"[types]\n{types}\n\n[metadata]\n{metadata}\n")


def _known(layer: Path) -> dict[str, str]:
    try:
        return dict(tomllib.loads(layer.with_name(f"{layer.name}.toml").read_text()).get("metadata", {}))
    except (OSError, ValueError):
        return {}


def _names(names: list[str], debs: list[str]) -> str:
    return " ".join([*names, *debs])


def _shown(names: list[str], debs: list[str]) -> str:
    return " ".join([*names, *(url.partition("#")[0].rpartition("/")[2] for url in debs)])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
