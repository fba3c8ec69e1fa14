"""The build: detect, compile and release of the classic buildpack, and what they leave as layers and processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import release_yaml
from talk import BAD_SOURCE, OTHER, Refusal, detail, shown, step

_TYPE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS_OWN = {"_", "PWD", "OLDPWD", "SHLVL"}
_SETTING = "BP_CLASSIC_BUILDPACK"


def main(layers: Path, platform: Path) -> int:
    try:
        Classic(layers, platform, Path.cwd()).build()
    except Refusal as refusal:
        for line in refusal.lines:
            print(f" !     {line}")
        return refusal.code
    return 0


class Classic:
    def __init__(self, layers: Path, platform: Path, app: Path) -> None:
        """Raises Refusal when the config names no classic buildpack."""
        self._layers, self._app = layers, app
        self._config = platform / "env"
        self._folder = self._find()

    def build(self) -> None:
        """Raises Refusal."""
        step(f"Classic buildpack {self._name}: {self._detect()}")
        self._compile()
        self._keep_export()
        tables = self._release()
        self._keep_profile(tables.get("config_vars", {}))
        self._write_processes(tables.get("default_process_types", {}))
        if addons := tables.get("addons"):
            detail(f"It asks for add-ons, which are not made here: {', '.join(map(shown, addons))}")

    def _find(self) -> Path:
        self._name = self._config_var(_SETTING).strip().removeprefix("./").rstrip("/") or "."
        folder = (self._app / self._name).resolve()
        hint = f"Put the buildpack into a folder of the app, and name it: wherry config:set {_SETTING}=.buildpack"
        if not folder.is_relative_to(self._app.resolve()):
            raise Refusal(BAD_SOURCE, f"{_SETTING} is not a folder of the app: {shown(self._name)}", hint=hint)
        missing = [name for name in ("bin/detect", "bin/compile") if not (folder / name).is_file()]
        if missing:
            cause = f"there is no classic buildpack in {shown(self._name)}"
            raise Refusal(BAD_SOURCE, cause, [f"missing: {', '.join(missing)}"], hint)
        for each in (folder / "bin").iterdir():
            if each.is_file() and not each.is_symlink():
                each.chmod(each.stat().st_mode | stat.S_IXUSR)
        return folder

    def _detect(self) -> str:
        """The name that it gives what it found."""
        done = self._run("detect", str(self._app), capture=True)
        if done.returncode:
            cause = (
                f"the classic buildpack {self._name} does not take this app: bin/detect ended with {done.returncode}"
            )
            raise Refusal(BAD_SOURCE, cause, _last(done.stdout))
        return shown(done.stdout.strip().split("\n")[-1]) or "found"

    def _compile(self) -> None:
        cache = self._layers / "cache"
        cache.mkdir(exist_ok=True)
        cache.with_name("cache.toml").write_text("[types]\ncache = true\n")
        (self._folder / "export").unlink(missing_ok=True)
        done = self._run("compile", str(self._app), str(cache), str(self._env_dir()))
        if done.returncode:
            cause = f"the classic buildpack {self._name} failed: bin/compile ended with exit code {done.returncode}"
            raise Refusal(OTHER, cause, hint="Its own words stand above.")

    def _env_dir(self) -> Path:
        """The app's config, a file each."""
        if self._config.is_dir():
            return self._config
        empty = self._layers / ".config"
        empty.mkdir(exist_ok=True)
        return empty

    def _keep_export(self) -> None:
        """What it exports for buildpacks after it becomes environment of their builds."""
        layer = self._layers / "export"
        shutil.rmtree(layer, ignore_errors=True)
        layer.with_name("export.toml").unlink(missing_ok=True)
        file = self._folder / "export"
        if not file.is_file():
            return
        script = Path(__file__).with_name("export.sh")
        done = subprocess.run(["bash", str(script), str(file)], capture_output=True, cwd=self._app, check=False)
        if done.returncode:
            raise Refusal(
                OTHER, f"{self._name}/export cannot be sourced", _last(done.stderr.decode("utf-8", "replace"))
            )
        (layer / "env.build").mkdir(parents=True)
        for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0"):
            name, sign, value = entry.partition("=")
            if sign and _VARIABLE.fullmatch(name) and name not in _SHELLS_OWN and os.environ.get(name) != value:
                (layer / f"env.build/{name}.override").write_text(value, "utf-8", "surrogateescape")
        layer.with_name("export.toml").write_text("[types]\nbuild = true\n")

    def _release(self) -> dict[str, dict[str, str] | list[str]]:
        if not (self._folder / "bin/release").is_file():
            return {}
        done = self._run("release", str(self._app), capture=True)
        if done.returncode:
            cause = f"the classic buildpack {self._name} failed: bin/release ended with {done.returncode}"
            raise Refusal(OTHER, cause, _last(done.stdout))
        try:
            return release_yaml.read(done.stdout)
        except release_yaml.Fault as fault:
            raise Refusal(BAD_SOURCE, f"what {self._name}/bin/release printed cannot be read", [str(fault)]) from fault

    def _keep_profile(self, defaults: dict[str, str] | list[str]) -> None:
        """For processes: its config_vars where the app sets none, and the scripts of .profile.d."""
        layer = self._layers / "profile"
        shutil.rmtree(layer, ignore_errors=True)
        (layer / "env.launch").mkdir(parents=True)
        (layer / "exec.d").mkdir()
        shutil.copy(Path(__file__).with_name("profile"), layer / "exec.d/profile")
        (layer / "exec.d/profile").chmod(0o755)
        for name, value in _table(defaults, "config_vars").items():
            if not _VARIABLE.fullmatch(name):
                raise Refusal(BAD_SOURCE, f"bin/release names a variable that is none: {shown(name)}")
            (layer / f"env.launch/{name}.default").write_text(value)
        layer.with_name("profile.toml").write_text("[types]\nlaunch = true\n")

    def _write_processes(self, types: dict[str, str] | list[str]) -> None:
        lines = []
        for name, command in _table(types, "default_process_types").items():
            if not _TYPE.fullmatch(name) or not command:
                cause = f"bin/release names a process type that is none: {shown(name)}: {shown(command)}"
                raise Refusal(BAD_SOURCE, cause)
            words = ", ".join(map(_quoted, ("bash", "-c", command)))
            default = "default = true\n" if name == "web" else ""
            lines.append(f"[[processes]]\ntype = {_quoted(name)}\ncommand = [{words}]\n{default}")
        (self._layers / "launch.toml").write_text("\n".join(lines))
        if lines and not (self._app / "Procfile").exists():
            detail(f"No Procfile: its process types are {', '.join(types)}")

    def _run(self, name: str, *arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        env = dict(os.environ)
        if stack := self._config_var("BP_CLASSIC_STACK") or self._config_var("STACK"):
            env["STACK"] = stack
        program = str(self._folder / "bin" / name)
        output, errors = (subprocess.PIPE, None) if capture else (None, subprocess.STDOUT)
        try:
            return subprocess.run(
                [program, *arguments],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise Refusal(BAD_SOURCE, f"{self._name}/bin/{name} cannot be run: {error.strerror}") from error

    def _config_var(self, name: str) -> str:
        file = self._config / name
        return file.read_text("utf-8", "replace") if file.is_file() else os.environ.get(name, "")


def _table(values: dict[str, str] | list[str], name: str) -> dict[str, str]:
    if isinstance(values, list):
        raise Refusal(BAD_SOURCE, f"bin/release prints a list as {name}, not a table")
    return values


def _last(said: str) -> list[str]:
    return [shown(line) for line in said.split("\n") if line.strip()][-5:]


def _quoted(text: str) -> str:
    """A TOML string; JSON's escapes are the same but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
