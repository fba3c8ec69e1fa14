"""A whole builder with small bash buildpacks of its own: the real lifecycle, the real stack, a real registry, and
containers of what comes out.
"""

from __future__ import annotations

import gzip
import io
import json
import secrets
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from wherry.builds.builder import LifecycleBuilder
from wherry.builds.stacks import Stack
from wherry.domain.errors import BuildFailed
from wherry.domain.image import Image
from wherry.images.manifest import CONFIG, Document, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image
from wherry.runtimes.machine.pull import Registry as Pulls
from wherry.runtimes.machine.sandbox import MachineSandbox
from wherry.settings import Settings
from wherry.sources.fetch import Trees

from tests.builds.real_world import stack_registry
from tests.builds.yard import Yard
from tests.runtimes.tiny import ENGINE, engine_api, platform_id

__all__ = ["engine_api", "platform_id", "stack_registry"]

WEB = """
printf '[[processes]]\\ntype = "web"\\ncommand = ["sleep", "1"]\\n' >"$1/launch.toml"
"""


def writes(file: str, content: str) -> str:
    """A line of shell that writes `content` into `file`, which a shell expands."""
    return f"""cat >"{file}" <<'END'\n{content.strip()}\nEND\n"""


def layer(name: str, types: str, *files: tuple[str, str]) -> str:
    """Lines of shell that make one. `files`: path and what printf makes of a text."""
    lines = [f'mkdir -p "$1/{name}"', *(f'mkdir -p "$(dirname "$1/{name}/{path}")"' for path, _ in files)]
    lines += [f"printf '{text}' >\"$1/{name}/{path}\"" for path, text in files]
    lines += [f'chmod 755 "$1/{name}/{path}"' for path, _ in files if path.startswith(("bin/", "exec.d/"))]
    flags = "".join(f"{each} = true\\n" for each in types.split())
    return "\n".join([*lines, f"printf '[types]\\n{flags}' >\"$1/{name}.toml\""]) + "\n"


def processes(*entries: str) -> str:
    """A line of shell that writes launch.toml; an entry: ``type: what follows the type``."""
    tables = (f'[[processes]]\ntype = "{kind}"\n{rest}' for kind, rest in (each.split(": ", 1) for each in entries))
    return writes("$1/launch.toml", "\n".join(tables))


@dataclass
class World(Yard):
    """`pack` lays a buildpack, `order` the groups; `make` builds `app` and keeps the image as the next one's previous."""

    image: Image | None = None

    @property
    def buildpacks(self) -> Path:
        return self.home / "order"

    @property
    def app(self) -> Path:
        return self.home / "app"

    @property
    def builder(self) -> LifecycleBuilder:
        settings = Settings.load({"WHERRY_HOME": str(self.home)})
        sandbox = MachineSandbox(ENGINE, self.platform, Pulls(self.registry.address), "", self.home / "builds")
        return LifecycleBuilder(sandbox, self, self.registry, settings, self.buildpacks, trees=Trees())

    def pack(self, name: str, build: str = ":", detect: str = ":", api: str = "0.10", more: str = "") -> Path:
        """`more` stands in the table of the buildpack, and may begin others."""
        home = self.buildpacks / name
        (home / "bin").mkdir(parents=True, exist_ok=True)
        (home / "buildpack.toml").write_text(f'api = "{api}"\n[buildpack]\nid = "x/{name}"\nversion = "1.0.0"\n{more}')
        for program, script in (("detect", detect), ("build", build)):
            (home / "bin" / program).write_text(f"#!/usr/bin/env bash\nset -eu\n{script}\n")
            (home / "bin" / program).chmod(0o755)
        return home

    def composite(self, name: str, *groups: str) -> None:
        home = self.buildpacks / name
        home.mkdir(parents=True, exist_ok=True)
        head = f'api = "0.10"\n[buildpack]\nid = "x/{name}"\nversion = "1.0.0"\n'
        (home / "buildpack.toml").write_text(head + _order(groups))

    def order(self, *groups: str) -> None:
        """Each group as names with blanks between them; a name with ``?`` is optional."""
        (self.buildpacks / "order.toml").write_text(_order(groups))

    def make(self, again: bool = False, **config: str) -> list[str]:
        """What the buildpacks said. With `again` the last image is the previous one."""
        self.image = self.build(self.app, previous=self.image if again else None, **config)
        return self.spoken

    def fails(self, again: bool = False) -> BuildFailed:
        with pytest.raises(BuildFailed) as caught:
            self.build(self.app, previous=self.image if again else None)
        return caught.value

    @property
    def spoken(self) -> list[str]:
        return [line for line in self.said if not line.startswith(("----->", "       "))]

    @property
    def stored(self) -> StoredImage:
        assert self.image
        return read_image(self.registry, self.image.repository, self.image.digest)

    def label(self, name: str) -> Any:
        return json.loads(self.stored.labels[f"io.buildpacks.{name}"])

    def relabel(self, name: str, **values: object) -> None:
        """Puts an image with other values in one of its labels into the last one's place."""
        assert self.image
        stored = self.stored
        config = json.loads(json.dumps(dict(stored.config)))
        config["config"]["Labels"][f"io.buildpacks.{name}"] = json.dumps(self.label(name) | values)
        document = Document.of(CONFIG, config)
        self.registry.put_blob(stored.repository, document.digest, document.body)
        manifest = image_manifest(document, stored.layers, {})
        self.image = replace(self.image, digest=self.registry.put_manifest(stored.repository, manifest))

    def files(self, number: int) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
        """Of one layer of the last image: path to entry and content."""
        image = self.stored
        blob = gzip.decompress(self.registry.blob(image.repository, image.layers[number].digest))
        with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
            return {each.name: (each, _content(tar, each)) for each in tar}

    def layer_of(self, path: str) -> int:
        """The number, from the end, of the layer that has `path`."""
        above = len(self.stored.layers) - len(self.stack.run.layers)
        (found,) = (number for number in range(-above, 0) if path in self.files(number))
        return found

    def run(self, *command: str, entry: str = "", **env: str) -> tuple[int, str]:
        """Exit code and output of the last image, started by `entry` (a process type, or "launcher")."""
        assert self.image
        reference = self.registry.reference(self.image.repository, self.image.digest)
        self.engine.pull(reference)
        made = self.engine.create_container(
            reference,
            command=list(command) or None,
            entrypoint=[entry if entry.startswith("/") else f"/cnb/process/{entry}"] if entry else None,
            environment=env,
            labels={"wherry.platform": self.platform},
            name=f"wherry-test-{secrets.token_hex(4)}",
        )
        try:
            self.engine.start(made)
            code = int(self.engine.wait(made, timeout=30)["StatusCode"])
            return code, str(self.engine.logs(made).decode())
        finally:
            self.engine.remove_container(made, force=True)
            self.engine.remove_image(reference, force=True)


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry) if entry.isfile() else None
    return file.read() if file else b""


def _order(groups: tuple[str, ...]) -> str:
    lines = []
    for group in groups:
        lines.append("[[order]]")
        for name in group.split():
            lines += ["[[order.group]]", f'id = "x/{name.rstrip("?")}"', 'version = "1.0.0"']
            lines += ["optional = true"] if "?" in name else []
    return "\n".join(lines)


@pytest.fixture
def world(stack_registry: tuple[Registry, Stack], tmp_path: Path, platform_id: str, engine_api: APIClient) -> World:
    made = World(tmp_path, *stack_registry, platform_id, engine_api)
    made.app.mkdir()
    (made.app / "file").write_text("of the app")
    made.pack("web", WEB)
    return made
