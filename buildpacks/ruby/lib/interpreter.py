"""Ruby where it lies: the distribution's package is unpacked below another prefix than the one it was made for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keep
from talk import FAILED, Refusal

_PROGRAMS = ("bundle", "bundler", "rake", "gem", "erb", "irb", "rdoc", "racc")
_SHIM = """\
# Ruby's own files lie below {prefix}. Its folders are named by RUBYLIB, which Ruby looks into first; gems must come
# before them, so they go to the end again. The distribution's rbconfig.rb finds its prefix by the place it is read from.
own = $LOAD_PATH.select {{ |each| each.start_with?("{prefix}/") }}
$LOAD_PATH.reject! {{ |each| each == __dir__ || each.start_with?("{prefix}/", "/usr/lib/") }}
$LOAD_PATH.concat(own.uniq)
require "{prefix}/lib/{triplet}/ruby/{abi}/rbconfig"
"""


@dataclass(frozen=True, slots=True)
class Ruby:
    """`prefix`: as in /usr; `abi`: as in 3.1.0, which folders of gems are named by."""

    program: Path
    prefix: Path
    version: str
    abi: str
    bundler: str


def find(series: str, layer: Path, environment: Mapping[str, str]) -> Ruby:
    """Writes the layer that makes it work, whose environment counts from here on. `environment`: more for processes,
    unless it is set otherwise. Raises Refusal.
    """
    program = shutil.which(f"ruby{series}") or shutil.which("ruby")
    if program is None:
        raise Refusal(FAILED, "there is no Ruby in this build; the buildpack wherry/apt brings it")
    path = Path(program).resolve()
    prefix = path.parent.parent
    argv = [str(path), "--disable-gems", "-e", "print RUBY_VERSION"]
    version = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    abi = ".".join(version.split(".")[:2]) + ".0"
    triplet = f"{os.uname().machine}-linux-gnu"
    made = layer.with_name("ruby.made")
    shutil.rmtree(made, ignore_errors=True)
    for folder in ("bin", "lib", "bundle", "env"):
        (made / folder).mkdir(parents=True)
    if prefix != Path("/usr"):
        _shim(made, layer, prefix, abi, triplet)
    _programs(made, path)
    for name, value in environment.items():
        (made / "env.launch").mkdir(exist_ok=True)
        (made / "env.launch" / f"{name}.default").write_text(value)
    keep.replace(layer, made)
    layer.with_name("ruby.toml").write_text("[types]\nlaunch = true\nbuild = true\ncache = true\n")
    os.environ["PATH"] = f"{layer}/bin:{os.environ['PATH']}"
    ask = [str(path), "-rbundler", "-ropenssl", "-e", "print Bundler::VERSION"]
    bundler = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    return Ruby(path, prefix, version, abi, bundler)


def _shim(made: Path, layer: Path, prefix: Path, abi: str, triplet: str) -> None:
    (made / "lib/rbconfig.rb").write_text(_SHIM.format(prefix=prefix, abi=abi, triplet=triplet))
    library, arch = prefix / "lib/ruby", prefix / f"lib/{triplet}/ruby"
    folders = [library / "vendor_ruby" / abi, arch / "vendor_ruby" / abi, library / "vendor_ruby"]
    folders += [library / abi, arch / abi]
    text = ":".join(map(str, [layer / "lib", *(each for each in folders if each.is_dir())]))
    (made / "env/RUBYLIB.prepend").write_text(text)
    (made / "env/RUBYLIB.delim").write_text(":")
    os.environ["RUBYLIB"] = text
    # Where gems of the distribution's own packages lie.
    kinds = [library / "gems" / abi, arch / "gems" / abi, prefix / "share/rubygems-integration/all"]
    kinds += [prefix / "share/rubygems-integration" / abi, prefix / f"lib/{triplet}/rubygems-integration" / abi]
    (made / "env/GEM_PATH.append").write_text(":".join(str(each) for each in kinds if each.is_dir()))
    (made / "env/GEM_PATH.delim").write_text(":")


def _programs(made: Path, ruby: Path) -> None:
    """The distribution's own name an interpreter in /usr/bin."""
    for name in _PROGRAMS:
        script = ruby.parent / f"{name}{ruby.name.removeprefix('ruby')}"
        if not script.is_file():
            continue
        lines = script.read_text().split("\n")
        (made / "bin" / name).write_text("\n".join([f"#!{ruby}", *lines[1:]]))
        (made / "bin" / name).chmod(0o755)
    (made / "bin/ruby").symlink_to(ruby)
