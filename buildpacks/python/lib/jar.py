"""Lays a Python of Maven's repository out as uv does its own: `jar.py KEY FOLDER`, run by a Python that has maven-artifact.

KEY is one of pythons.json, which has uv's form; the path of a `url` there is the jar's in the repository, and its hash is
checked. Exit code 1, with the reason, when it cannot be had.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from maven_artifact.artifact import Artifact
from maven_artifact.downloader import Downloader
from maven_artifact.requestor import RequestException

_PINNED = Path(__file__).parent / "pythons.json"
_NEVER_USED = ("test/", "idlelib/", "turtledemo/", "site-packages/")


def main(key: str, folder: Path) -> int:
    pinned = json.loads(_PINNED.read_text())[key]
    *_, group, name, release, file = pinned["url"].split("/")
    machine = file.removeprefix(f"{name}-{release}-").removesuffix(".jar")
    version = f"python{pinned['major']}.{pinned['minor']}"
    mirror = os.environ.get("MAVEN_MIRROR_URL")
    with tempfile.TemporaryDirectory() as work:
        jar = Path(work, "python.jar")
        try:
            artifact = Artifact(f"org.{group}", name, release, machine)
            (Downloader(mirror) if mirror else Downloader()).download(artifact, str(jar))
        except RequestException as err:
            print(f"error: {' '.join(str(err.msg).split())}")
            return 1
        with jar.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != pinned["sha256"]:
            print(f"error: {file} is not the one whose hash is pinned: it has {found}")
            return 1
        _unpack(jar, f"org/{group}/{name}/{machine}/", version, folder)
    return 0


def _unpack(jar: Path, start: str, version: str, folder: Path) -> None:
    library = f"lib/{version}/"
    wanted = (f"bin/{version}", library, f"include/{version}/", f"lib{version}.so")
    with zipfile.ZipFile(jar) as opened:
        for info in opened.infolist():
            name = info.filename.removeprefix(start)
            if info.is_dir() or not name.startswith(wanted) or "/__pycache__/" in name or name.endswith("-config"):
                continue
            if name.startswith(library) and name.removeprefix(library).startswith(_NEVER_USED):
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(info) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
    (folder / "bin" / version).chmod(0o755)
    for name in ("python3", "python"):
        (folder / "bin" / name).symlink_to(version)
    (folder / library / "site-packages").mkdir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
