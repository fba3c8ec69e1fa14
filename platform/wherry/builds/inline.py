"""A script of project.toml as a buildpack (project descriptor, "script"): it always takes part, and its lines are its
bin/build.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from wherry.builds import toml_files
from wherry.builds.descriptor import Member, read_descriptor
from wherry.builds.elsewhere import Found
from wherry.builds.project import INLINE_VERSION, SHELL, Script
from wherry.builds.shelf import Shelf


def buildpack(script: Script, shelf: Shelf) -> Found:
    """Raises InvalidInput for an API or id that is none."""
    about = {
        "api": script.api,
        "buildpack": {"id": script.id, "version": INLINE_VERSION, "description": f"a script of {script.id}"},
    }
    content = toml_files.render(about)
    program = f"#!{script.shell}\n{script.inline}\n"
    table = toml_files.parse(content, f"the script {script.id}")
    read_descriptor(table, Path())

    def fill(folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "buildpack.toml").write_bytes(content)
        for name, text in (("detect", f"#!{SHELL}\n"), ("build", program)):
            (folder / "bin" / name).write_text(text, "utf-8")
            (folder / "bin" / name).chmod(0o755)

    key = hashlib.sha256(content + b"\0" + program.encode()).hexdigest()
    descriptor = read_descriptor(table, shelf.keep(f"script-{key}", fill))
    return Found(Member(descriptor.id, descriptor.buildpack.version), (descriptor,))
