"""PHP and nginx where they lie: their packages are unpacked below another prefix than the one they were made for, and
without the scripts that switch extensions on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import keep
import wanted
from talk import FAILED, Refusal

SETTINGS = """\
extension_dir = "{extensions}"
expose_php = Off
log_errors = On
display_errors = Off
memory_limit = ${{PHP_MEMORY_LIMIT}}
session.save_path = "/tmp"
upload_tmp_dir = "/tmp"
sys_temp_dir = "/tmp"
variables_order = "EGPCS"
"""
MEMORY_LIMIT = "128M"
# The files of an image do not change, so opcache need not look whether they did.
OPCACHE = "opcache.validate_timestamps = 0\nopcache.file_update_protection = 0\nopcache.memory_consumption = 64\n"


@dataclass(frozen=True, slots=True)
class Php:
    program: Path
    version: str


def find(series: str, layer: Path, home: Path) -> Php:
    """Writes the layer that makes them work, whose environment counts from here on. Raises Refusal."""
    fpm = shutil.which(f"php-fpm{series}") if series else _any_fpm()
    if fpm is None or shutil.which("nginx") is None:
        raise Refusal(FAILED, "there is no PHP in this build; the buildpack wherry/apt brings it")
    series = Path(fpm).name.removeprefix("php-fpm")
    prefix = Path(fpm).resolve().parent.parent
    program = prefix / f"bin/php{series}"
    made, settings = layer.with_name("php.made"), layer / "conf.d"
    shutil.rmtree(made, ignore_errors=True)
    for folder in (made / "bin", made / "env", made / "conf.d"):
        folder.mkdir(parents=True)
    # A folder of the app's own settings, when it has one, counts more.
    scanned = f"{settings}:{Path.cwd()}/.php.ini.d" if Path(".php.ini.d").is_dir() else str(settings)
    fixed = {"PHP_INI_SCAN_DIR": scanned, "PHPRC": str(layer)}
    for variable, value in fixed.items():
        (made / "env" / f"{variable}.override").write_text(value)
    (made / "env/PHP_MEMORY_LIMIT.default").write_text(MEMORY_LIMIT)
    os.environ.update({"PHP_MEMORY_LIMIT": MEMORY_LIMIT, **os.environ, **fixed})
    shutil.copyfile(prefix / f"lib/php/{series}/php.ini-production", made / "php.ini")
    _extensions(prefix, series, made / "conf.d")
    (made / "bin/php").symlink_to(program)
    for name in ("serve-php", "nginx.conf", "apache2.conf", "fpm.conf"):
        shutil.copyfile(home / "lib" / name, made / "bin" / name)
    (made / "bin/serve-php").chmod(0o755)
    for name in wanted.HEROKU:
        (made / "bin" / name).symlink_to("serve-php")
    keep.replace(layer, made)
    layer.with_name("php.toml").write_text("[types]\nlaunch = true\nbuild = true\ncache = true\n")
    os.environ["PATH"] = f"{layer}/bin:{os.environ['PATH']}"
    version = subprocess.run([program, "-r", "echo PHP_VERSION;"], capture_output=True, text=True, check=False)
    lines = list(dict.fromkeys(version.stderr.splitlines()))
    said = [line for line in lines if "is already loaded" not in line]
    if version.returncode or said:
        raise Refusal(FAILED, "PHP does not run in this build", *[line[:300] for line in said or lines][:8])
    return Php(program, version.stdout)


def _any_fpm() -> str | None:
    found = [path for each in os.environ["PATH"].split(":") for path in Path(each).glob("php-fpm[0-9]*")]
    return str(found[0]) if found else None


def _extensions(prefix: Path, series: str, settings: Path) -> None:
    """A package's files of settings name their extension, and by a comment their place in the order."""
    extensions = sorted((prefix / "lib/php").glob("[0-9]" * 8))
    (settings / "00-wherry.ini").write_text(SETTINGS.format(extensions=extensions[-1] if extensions else ""))
    for file in sorted((prefix / "share").glob(f"php{series}-*/*/*.ini")):
        text = file.read_text("utf-8", "replace")
        priority = re.search(r"^; *priority=([0-9]+)", text, re.MULTILINE)
        more = OPCACHE if file.stem == "opcache" else ""
        (settings / f"{priority[1] if priority else '20'}-{file.stem}.ini").write_text(f"{text}\n{more}")
