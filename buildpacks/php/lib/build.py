"""The build of a PHP app: PHP with its extensions, Composer's packages, and the servers that run it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import interpreter
import manifest
import talk
import versions
import wanted
from composer import Composer
from talk import BAD_SOURCE, Refusal


def main(layers: Path) -> int:
    try:
        build(layers)
    except Refusal as refusal:
        return talk.refuse(refusal)
    return 0


def build(layers: Path) -> None:
    content = manifest.read(Path.cwd())
    check_extensions(content.extensions)
    constraint, asked = wanted.constraint(content)
    series = versions.series(constraint) if constraint else ""
    root = document_root()
    php = interpreter.find(series, layers / "php", Path(__file__).parents[1])
    if constraint and not versions.met(constraint, php.version):
        raise versions.refusal(constraint, php.version, asked)
    talk.step(f"PHP {php.version}")
    composer = Composer(layers, php, content)
    try:
        composer.install()
    finally:
        composer.keep_downloads()
    composer.keep()
    called = wanted.servers_called(Path.cwd())
    for folder, name in called:
        link(folder, layers / "php/bin" / name)
    process = json.dumps(["serve-php", root])
    (layers / "launch.toml").write_text(f'[[processes]]\ntype = "web"\ndefault = true\ncommand = {process}\n')
    if not called:
        talk.detail(f"Serving {'this folder' if root == '.' else root} with nginx and php-fpm")
    for _, name in called:
        talk.detail(f"The Procfile's {name} is {'Apache' if name == 'heroku-php-apache2' else 'nginx'} and php-fpm")


def link(folder: str, program: Path) -> None:
    """A Procfile may name Heroku's programs where Composer would put them: vendor/bin/heroku-php-apache2."""
    if folder:
        place = Path(folder, program.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(program)


def check_extensions(names: tuple[str, ...]) -> None:
    for name in names:
        try:
            wanted.package_of(name)
        except ValueError as error:
            raise Refusal(
                BAD_SOURCE, f"this is no PHP extension: ext-{name[:60]!a}", "", "Try: composer validate"
            ) from error


def document_root() -> str:
    """BP_PHP_DOCUMENT_ROOT, else the first of the usual ones that has an index.php, else the app's folder. Raises Refusal."""
    for variable in ("BP_PHP_DOCUMENT_ROOT", "BP_PHP_WEB_DIR"):
        given = os.environ.get(variable, "").strip().rstrip("/")
        if given:
            if not Path(given).resolve().is_relative_to(Path.cwd().resolve()) or not Path(given).is_dir():
                raise Refusal(BAD_SOURCE, f"{variable} is not a folder of the app: {given[:80]!a}")
            return os.path.normpath(Path(given).resolve().relative_to(Path.cwd().resolve()))
    for name in ("public", "web", "htdocs"):
        if Path(name, "index.php").is_file():
            return name
    return "."


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
