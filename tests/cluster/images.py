"""Images made of a few files, without any builder: into the node's containerd or into a registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

import requests

_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
_TYPES = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def layer_of(files: dict[str, Path | bytes], links: dict[str, str] | None = None) -> bytes:
    """A tar of executable files by their names in the image, and of symbolic links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return buffer.getvalue()


def config_of(layer: bytes, settings: dict[str, object]) -> bytes:
    """`settings` as in an image's config: Entrypoint, Cmd, User, Env."""
    rootfs = {"type": "layers", "diff_ids": [_digest(layer)]}
    return json.dumps({"architecture": _ARCHITECTURE, "os": "linux", "config": settings, "rootfs": rootfs}).encode()


def write_archive(path: Path, name: str, layer: bytes, settings: dict[str, object]) -> None:
    """As `docker save` does, for `ctr images import`."""
    config = config_of(layer, settings)
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    index = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as tar:
        for each, data in ((config_name, config), ("layer.tar", layer), ("manifest.json", json.dumps(index).encode())):
            entry = tarfile.TarInfo(each)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


def push(
    address: str, repository: str, layer: bytes, settings: dict[str, object], login: tuple[str, str] | None = None
) -> str:
    """To a registry over plain HTTP. Returns the image's digest."""
    base = f"http://{address}/v2/{repository}"
    packed = gzip.compress(layer, 1, mtime=0)
    config = config_of(layer, settings)
    with requests.Session() as session:
        session.auth = login
        for blob in (packed, config):
            place = session.post(f"{base}/blobs/uploads/", timeout=30)
            place.raise_for_status()
            done = session.put(place.headers["Location"], params={"digest": _digest(blob)}, data=blob, timeout=60)
            done.raise_for_status()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _TYPES,
                "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
                "layers": [{"mediaType": _LAYER, "size": len(packed), "digest": _digest(packed)}],
            }
        ).encode()
        headers = {"Content-Type": _TYPES}
        session.put(
            f"{base}/manifests/{_digest(manifest)}", data=manifest, headers=headers, timeout=30
        ).raise_for_status()
    return _digest(manifest)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
