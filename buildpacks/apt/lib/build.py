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

import lay
import wishes
from mirror import BUILD_STATUS, RUN_STATUS, Mirror
from wishes import NETWORK, Refusal, Wish


def main(layers: Path, plan: Path) -> int:
    try:
        asked = wishes.read(plan, Path.cwd())
        one = Layers(layers, asked)
        one.make("packages", asked.run, RUN_STATUS if RUN_STATUS.exists() else BUILD_STATUS, asked.debs, launch=True)
        one.make("build-packages", asked.build, BUILD_STATUS, [], launch=False)
    except Refusal as refusal:
        for line in refusal.lines:
            print(f" !     {line}")
        return refusal.code
    return 0


class Layers:
    def __init__(self, folder: Path, asked: wishes.Wishes) -> None:
        self._folder = folder
        self._repositories = asked.repositories
        self._triplet = f"{os.uname().machine}-linux-gnu"

    def make(self, name: str, asked: list[Wish], status: Path, debs: list[str], *, launch: bool) -> None:
        layer = self._folder / name
        names = sorted({package for wish in asked for package in wish.packages})
        if not names and not debs:
            shutil.rmtree(layer, ignore_errors=True)
            return
        key = self._key([*names, *debs, *self._repositories], status)
        known = _known(layer)
        if known.get("key") == key and layer.is_dir():
            print(f"       {_shown(names, debs)}: as before")
        else:
            key = self._fresh(layer, asked, status, debs, key, known)
        self._describe(layer, key, names, launch)

    def _fresh(
        self, layer: Path, asked: list[Wish], status: Path, debs: list[str], key: str, known: dict[str, str]
    ) -> str:
        """Beside the old layer until it is whole; the key that counts then."""
        names = sorted({package for wish in asked for package in wish.packages})
        print(f"-----> Debian packages: {_shown(names, debs)}", flush=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".apt-") as folder:
            work = Path(folder)
            try:
                mirror = Mirror(work, self._repositories)
                mirror.update()
                mirror.fetch(asked, status, work / "debs")
                for url in debs:
                    mirror.fetch_deb(url, work / "debs")
            except Refusal as refusal:
                if refusal.code != NETWORK or known.get("names") != _names(names, debs) or not layer.is_dir():
                    raise
                print(f" !     {refusal.lines[0]}: those of the last build are used again")
                return known["key"]
            made = work / "made"
            made.mkdir()
            unpacked = lay.unpack(work / "debs", made)
            shutil.rmtree(layer, ignore_errors=True)
            made.chmod(0o755)
            made.rename(layer)
        lay.settle(layer)
        lay.write_env(layer, self._triplet, launch=layer.name == "packages")
        size = subprocess.run(["du", "-sm", layer], capture_output=True, text=True, check=True).stdout.split()[0]
        print(f"       {len(unpacked)} packages, {size} MB")
        return key

    def _key(self, parts: list[str], status: Path) -> str:
        installed = hashlib.sha256(status.read_bytes()).hexdigest()
        month = datetime.now(UTC).strftime("%Y-%m")
        return hashlib.sha256(repr((1, parts, installed, month, self._triplet)).encode()).hexdigest()

    def _describe(self, layer: Path, key: str, names: list[str], launch: bool) -> None:
        types = "launch = true\nbuild = true\ncache = true" if launch else "build = true\ncache = true"
        metadata = f"key = {json.dumps(key)}\nnames = {json.dumps(' '.join(names))}"
        layer.with_name(f"{layer.name}.toml").write_text(f"[types]\n{types}\n\n[metadata]\n{metadata}\n")


def _known(layer: Path) -> dict[str, str]:
    try:
        return dict(tomllib.loads(layer.with_name(f"{layer.name}.toml").read_text()).get("metadata", {}))
    except (OSError, ValueError):
        return {}


def _names(names: list[str], debs: list[str]) -> str:
    return " ".join([*names, *debs])


def _shown(names: list[str], debs: list[str]) -> str:
    return " ".join([*names, *(url.rpartition("/")[2] for url in debs)])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
