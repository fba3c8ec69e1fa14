"""What a Ruby app runs: its assets at build, its web process, and the environment that both want."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from bundle import Gems
from talk import FAILED, Refusal, detail, step

ENVIRONMENT = {
    "BOOTSNAP_CACHE_DIR": "/tmp/bootsnap",  # noqa: S108 - a process may write nowhere else
    "MALLOC_ARENA_MAX": "2",
    "RACK_ENV": "production",
    "RAILS_ENV": "production",
    "RAILS_LOG_TO_STDOUT": "enabled",
    "RAILS_SERVE_STATIC_FILES": "enabled",
}
"""Unless the app's config says otherwise."""
_CLASSIC = ("app.rb", "main.rb", "server.rb", "web.rb")
_MANIFESTS = (".sprockets-manifest-*.json", "manifest-*.json", ".manifest.json")
_SHOWN = 20


def precompile_assets(gems: Gems, have: Mapping[str, str], layers: Path) -> None:
    """With a Rakefile that has the task. What was compiled before is kept in a layer of its own. Raises Refusal."""
    if not Path("Rakefile").is_file() or "rake" not in have:
        return
    text = Path("Rakefile").read_text("utf-8", "replace")
    if "assets" not in text and not ("railties" in have and "load_tasks" in text):
        return
    if found := [each for name in _MANIFESTS for each in Path("public/assets").glob(name)]:
        detail(f"{found[0]} is there: assets are not compiled")
        return
    env = {name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()}
    env |= {"SECRET_KEY_BASE": os.environ.get("SECRET_KEY_BASE", "only-for-this-build"), "SECRET_KEY_BASE_DUMMY": "1"}
    tasks = gems.exec("rake", "-P", **env)
    if tasks.returncode:
        raise _failed("the tasks of the Rakefile could not be listed", "bundle exec rake -P", tasks.stdout)
    if not re.search(r"^rake assets:precompile$", tasks.stdout, re.MULTILINE):
        return
    step("Compiling assets")
    kept, cache = layers / "assets", Path("tmp/cache/assets")
    if kept.is_dir() and not cache.exists():
        shutil.copytree(kept, cache, symlinks=True)
    done = gems.exec("rake", "assets:precompile", **env)
    if done.returncode:
        raise _failed(
            "assets:precompile failed", "RAILS_ENV=production bundle exec rake assets:precompile", done.stdout
        )
    for line in [each for each in done.stdout.split("\n") if each.strip()][-_SHOWN:]:
        detail(line)
    shutil.rmtree(kept, ignore_errors=True)
    if cache.is_dir():
        shutil.move(cache, kept)
        (layers / "assets.toml").write_text("[types]\ncache = true\n")


def default_process(have: Mapping[str, str]) -> str:
    """ "" when it is not plain what to run."""
    if Path("config/application.rb").is_file() and "railties" in have:
        return "bundle exec rails server -b 0.0.0.0 -p $PORT -P /tmp/rails.pid"
    if Path("config.ru").is_file():
        if "puma" in have:
            return "bundle exec puma -b tcp://0.0.0.0:$PORT"
        if "rackup" in have or have.get("rack", "3").split(".")[0] < "3":
            return "bundle exec rackup -p $PORT -o 0.0.0.0"
    for name in _CLASSIC:
        if "sinatra" in have and Path(name).is_file():
            return f"bundle exec ruby {name} -p $PORT -o 0.0.0.0"
    return ""


def write_launch(layers: Path, have: Mapping[str, str]) -> None:
    if os.path.lexists("Procfile"):
        return
    if web := default_process(have):
        words = json.dumps(["bash", "-c", f"exec {web}"])
        text = f'[[processes]]\ntype = "web"\ncommand = {words}\ndefault = true\n'
        (layers / "launch.toml").write_text(text)
        detail(f"No Procfile: the web process is {web}")


def _failed(what: str, command: str, said: str) -> Refusal:
    lines = [line for line in said.split("\n") if line.strip()]
    return Refusal(FAILED, what, *lines[-_SHOWN:], "", f"Does it work on your machine? Try: {command}")
