"""Small buildpacks of others in every form that they come in, and the servers that they come from."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from wherry.images.layers import Layer
from wherry.images.manifest import digest_of, image_config, image_manifest
from wherry.images.registry import Registry

from tests.sources.workshop import Workshop

BUILD = """#!/bin/bash
set -eu
echo "-----> built by {name} in $PWD with $# arguments"
echo {name} >> built-by
layers="$1"
mkdir -p "$layers/tools/bin"
printf '#!/bin/sh\\necho tool of {name}\\n' > "$layers/tools/bin/tool-{short}"
chmod 755 "$layers/tools/bin/tool-{short}"
printf '[types]\\nlaunch = true\\nbuild = true\\n' > "$layers/tools.toml"
"""


def about(name: str, version: str = "1.0", more: str = "") -> str:
    return f'api = "0.10"\n[buildpack]\nid = "{name}"\nversion = "{version}"\n{more}'


def order(*names: str) -> str:
    return "[[order]]\n" + "".join(f'[[order.group]]\nid = "{name}"\nversion = "1.0"\n' for name in names)


def lay(folder: Path, name: str, build: str = "") -> Path:
    """A buildpack that always takes part, has a tool in a layer, and notes in the app that it was there."""
    (folder / "bin").mkdir(parents=True)
    (folder / "buildpack.toml").write_text(about(name))
    script = build or BUILD.format(name=name, short=name.rpartition("/")[2])
    for program, text in (("detect", "#!/bin/bash\nexit 0\n"), ("build", script)):
        (folder / "bin" / program).write_text(text)
        (folder / "bin" / program).chmod(0o755)
    return folder


def lay_composite(folder: Path, name: str, *members: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "buildpack.toml").write_text(about(name, more=order(*members)))
    return folder


def tarball(folder: Path, file: Path) -> str:
    """Writes a .tgz; its checksum."""
    with tarfile.open(file, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def repository(folder: Path, root: Path) -> tuple[str, str]:
    """A bare repository under `root` as any web server can serve it, with one commit on main: its name and commit."""
    workshop = Workshop(root.parent / f"workshop-{root.name}")
    subprocess.run(["cp", "-a", f"{folder}/.", str(workshop.folder)], check=True)
    workshop.git("add", "-A")
    workshop.git("commit", "-q", "-m", "A buildpack")
    workshop.git("clone", "-q", "--bare", str(workshop.folder), str(root / "pack.git"))
    return "pack.git", workshop.git("rev-parse", "HEAD")


class Package:
    """A buildpackage, as pack makes them: names in its layers begin with a slash."""

    def __init__(self, main: tuple[str, str], folders: Mapping[str, Path]) -> None:
        self.layers, described = [], {}
        for name, folder in folders.items():
            layer, blob = _layer(name, folder)
            self.layers.append((layer, blob))
            described[name] = {"1.0": {"api": "0.10", "layerDiffID": layer.diff_id}}
        labels = {
            "io.buildpacks.buildpackage.metadata": json.dumps({"id": main[0], "version": main[1]}),
            "io.buildpacks.buildpack.layers": json.dumps(described),
        }
        only = [layer for layer, _ in self.layers]
        self.config = image_config(only, {"Labels": labels})
        self.manifest = image_manifest(self.config, only, {})

    def push(self, registry: Registry, repository: str, tag: str = "") -> str:
        for layer, blob in self.layers:
            registry.put_blob(repository, layer.digest, blob)
        registry.put_blob(repository, self.config.digest, self.config.body)
        return registry.put_manifest(repository, self.manifest, tag)

    def write(self, file: Path) -> None:
        blobs = {each.digest: each.body for each in (self.config, self.manifest)}
        blobs |= {layer.digest: blob for layer, blob in self.layers}
        index = {"schemaVersion": 2, "manifests": [self.manifest.descriptor]}
        files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
        files |= {f"blobs/sha256/{digest.partition(':')[2]}": body for digest, body in blobs.items()}
        with tarfile.open(file, "w") as tar:
            for name, body in files.items():
                _add(tar, name, body)


def _layer(name: str, folder: Path) -> tuple[Layer, bytes]:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        tar.add(folder, arcname="x", filter=partial(_rooted, f"/cnb/buildpacks/{name.replace('/', '_')}/1.0"))
    blob = gzip.compress(raw.getvalue(), mtime=0)
    return Layer(digest_of(raw.getvalue()), digest_of(blob), len(blob)), blob


def _rooted(prefix: str, entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.name = prefix + entry.name.removeprefix("x")
    return entry


def _add(tar: tarfile.TarFile, name: str, body: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(body)
    tar.addfile(entry, io.BytesIO(body))


class _Quiet(SimpleHTTPRequestHandler):
    """`/away/X` redirects to X by another name of this host, `/again/X` by the same; repositories speak git's smart
    protocol.
    """

    def do_GET(self) -> None:
        for prefix, host in (("/away/", f"http://localhost:{self.server.server_port}"), ("/again/", "")):  # type: ignore[attr-defined]
            if self.path.startswith(prefix):
                self.send_response(302)
                self.send_header("Location", f"{host}/{self.path.removeprefix(prefix)}")
                self.end_headers()
                return
        if ".git/" in self.path:
            self._git(b"")
            return
        super().do_GET()

    def do_POST(self) -> None:
        self._git(self.rfile.read(int(self.headers["Content-Length"])))

    def _git(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for key, value in fields.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: Any) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """``http://127.0.0.1:PORT`` that serves the folder, and the paths that were asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    asked: list[str] = []
    server.asked = asked  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
