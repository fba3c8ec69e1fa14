"""The platform's own image as a build's pod needs it: our code and the libraries that it imports, over the run image."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from wherry.builds.stacks import Stack
from wherry.images.entries import Tree, of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image
from wherry.settings import root_folder

REPOSITORY = "platform"
_LIBRARIES = """
certifi charset_normalizer cronsim idna isal pathspec re2 requests tomli_w typing_extensions urllib3 yaml
"""
_SCRIPT = """#!/bin/sh
PYTHONPATH=/libraries:/wherry-code/platform PYTHONDONTWRITEBYTECODE=1 exec python3 -m wherry.pod {}
"""


def platform_image(registry: Registry, stack: Stack, folder: Path) -> str:
    """Its digest, in the repository REPOSITORY."""
    scripts = {f"/cnb/process/build-{each}": (_SCRIPT.format(each).encode(), 0o755) for each in ("fetch", "export")}
    code = [
        *of_files({**scripts, "/wherry-code/app.py": (b"", 0o644)}),
        *Tree(root_folder() / "platform/wherry", "/wherry-code/platform/wherry", (0, 0), _source).entries(),
        *Tree(root_folder() / "buildpacks", "/wherry-code/buildpacks", (0, 0)).entries(),
    ]
    entries = {each.path: each for each in (*code, *_libraries())}
    layer = pack(entries.values(), folder)
    layers = [*stack.run.layers, layer]
    config = image_config(layers, {"Env": stack.run.settings.get("Env", [])}, stack.run.config)
    return push_image(registry, REPOSITORY, config, layers, image_manifest(config, layers, {}), [stack.run.repository])


def _source(path: str) -> bool:
    return not path.endswith("__pycache__")


def _libraries() -> list[object]:
    found: list[object] = []
    for name in _LIBRARIES.split():
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.origin
        if spec.submodule_search_locations:
            found += Tree(Path(spec.origin).parent, f"/libraries/{name}", (0, 0), _source).entries()
        else:
            found += of_files({f"/libraries/{name}.py": (Path(spec.origin).read_bytes(), 0o644)})
    return found
