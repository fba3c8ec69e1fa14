"""A small lifecycle of the test's own, which does what platform.md asks of each phase and no more, and a builder image
that has it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wherry.builds.stacks import Stack
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image, push_layer

PHASE = r"""#!/usr/bin/python3
import hashlib, io, json, os, sys, tarfile
from pathlib import Path

phase, arguments = Path(sys.argv[0]).name, sys.argv[1:]
print(phase, *arguments)
layout = Path(os.environ["CNB_LAYOUT_DIR"])
assert os.environ["CNB_USE_LAYOUT"] == "true" and os.environ["CNB_PLATFORM_API"] == "0.13"
assert not [name for name in os.environ if "AUTH" in name or "PASSWORD" in name], os.environ
assert not Path("/run/wherry-inputs").exists() and not Path("/wherry").exists()
if phase == "detector" and not Path("/workspace/Procfile").exists():
    print("nothing detected")
    sys.exit(20)
if phase == "builder":
    if Path("/workspace/BREAK").exists():
        print("src/app.c:3:1: error: expected ';'")
        sys.exit(51)
    Path("/workspace/built").write_text(Path("/platform/env/GREETING").read_text())
    count = Path("/cache/count")
    count.write_text(str(int(count.read_text()) + 1) if count.exists() else "1")
    print("build number", count.read_text())
if phase == "exporter":
    run = layout / "wherry.invalid/run/latest"
    read = lambda folder, digest: json.loads((folder / "blobs/sha256" / digest[7:]).read_bytes())
    manifest = read(run, json.loads((run / "index.json").read_text())["manifests"][0]["digest"])
    config = read(run, manifest["config"]["digest"])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add("/workspace", "workspace")
        web = ("#!/bin/sh\nexec " + Path("/workspace/Procfile").read_text().partition(": ")[2]).encode()
        info = tarfile.TarInfo("cnb/process/web")
        info.mode, info.size = 0o755, len(web)
        tar.addfile(info, io.BytesIO(web))
    made = layout / "wherry.invalid/app/latest"
    (made / "blobs/sha256").mkdir(parents=True)
    def put(content, kind):
        digest = hashlib.sha256(content).hexdigest()
        (made / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(content)}
    layer = put(packed.getvalue(), "application/vnd.oci.image.layer.v1.tar")
    config["rootfs"]["diff_ids"].append(layer["digest"])
    config["config"]["Entrypoint"] = ["/cnb/process/web"]
    processes = {"processes": [{"type": "web", "command": ["serve"], "args": ["it"]}]}
    config["config"].setdefault("Labels", {})["io.buildpacks.build.metadata"] = json.dumps(processes)
    manifest["config"] = put(json.dumps(config).encode(), manifest["config"]["mediaType"])
    manifest["layers"].append(layer)
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), manifest["mediaType"])]}
    (made / "index.json").write_text(json.dumps(index))
"""
PHASES = ("analyzer", "detector", "restorer", "builder", "exporter")


def builder_of(registry: Registry, stack: Stack, folder: Path, **label: Any) -> str:
    """The stack's build image with the lifecycle, in the registry; its reference by digest."""
    files = {f"/cnb/lifecycle/{name}": (PHASE.encode(), 0o755) for name in PHASES}
    run = registry.reference(stack.run.repository, stack.run.digest)
    metadata = {
        "images": [{"image": run}],
        "lifecycle": {"apis": {"platform": {"supported": ["0.12", "0.13"]}}},
        **label,
    }
    layer = pack(of_files(files), folder, note="lifecycle")
    base, repository = stack.build, "builders/test"
    for each in base.layers:
        push_layer(registry, repository, each, [base.repository])
    settings = {**base.settings, "Labels": {**base.labels, "io.buildpacks.builder.metadata": json.dumps(metadata)}}
    config = image_config([*base.layers, layer], settings)
    manifest = image_manifest(config, [*base.layers, layer], {})
    digest = push_image(registry, repository, config, [*base.layers, layer], manifest, [base.repository])
    return registry.reference(repository, digest)


def sample_app(folder: Path) -> Path:
    """What the lifecycle detects."""
    folder.mkdir()
    (folder / "Procfile").write_text("web: sh -c 'cat built; exec python3 -m http.server $PORT'")
    return folder


def named(app: Path, name: str) -> None:
    """The app asks for the builder of this name."""
    text = f'[io.buildpacks]\nbuilder = "{name}"\n[[io.buildpacks.build.env]]\nname = "GREETING"\nvalue = "hello"\n'
    (app / "project.toml").write_text(text)
