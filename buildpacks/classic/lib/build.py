"""The build: detect, compile and release of the classic buildpack, and what they leave as layers and processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import release_yaml
from talk import BAD_SOURCE, NETWORK, OTHER, Refusal, detail, shown, step

_TYPE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS_OWN = {"_", "PWD", "OLDPWD", "SHLVL"}
_SETTING = "BP_CLASSIC_BUILDPACK"
_MOST_KEPT = 200
_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.*\S)\s*")
_CAUSES = (
    (
        re.compile(r"STACK: (?:unbound variable|parameter not set)"),
        BAD_SOURCE,
        "It wants the name of a stack of Heroku's; this one's programs run here: wherry config:set BP_CLASSIC_STACK=heroku-22",
    ),
    (
        re.compile(r"(?i)\bstack\b.*(?:not supported|unsupported)"),
        BAD_SOURCE,
        "Which stacks does its bin/compile know? To name one: wherry config:set BP_CLASSIC_STACK=NAME",
    ),
    (
        re.compile(
            r"Could not resolve host|Temporary failure in name resolution|Failed to connect to|Connection timed out"
        ),
        NETWORK,
        "Is it reachable from builds? Pushing again is worth a try.",
    ),
)


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
        procfile = self._app / "Procfile"
        had_procfile = procfile.exists()
        self._compile()
        self._keep_export()
        tables = self._release()
        self._keep_profile(tables.get("config_vars", {}))
        types = _table(tables.get("default_process_types", {}), "default_process_types")
        if not had_procfile and procfile.is_file():
            # It was not there when wherry/procfile was asked whether it takes part.
            types = {**types, **_lines_of(procfile)}
        self._write_processes(types)
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
        done = self._run("detect", str(self._app))
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
        code, said = self._heard("compile", str(self._app), str(cache), str(self._env_dir()))
        if code:
            cause = f"the classic buildpack {self._name} failed: bin/compile ended with exit code {code}"
            for pattern, kind, hint in _CAUSES:
                if found := [line for line in said if pattern.search(line)]:
                    raise Refusal(kind, cause, [shown(found[-1].strip())], hint)
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
        done = self._run("release", str(self._app))
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

    def _write_processes(self, types: dict[str, str]) -> None:
        lines = []
        for name, command in types.items():
            if not _TYPE.fullmatch(name) or not command:
                cause = f"{self._name} names a process type that is none: {shown(name)}: {shown(command)}"
                raise Refusal(BAD_SOURCE, cause)
            words = ", ".join(map(_quoted, ("bash", "-c", command)))
            default = "default = true\n" if name == "web" else ""
            lines.append(f"[[processes]]\ntype = {_quoted(name)}\ncommand = [{words}]\n{default}")
        (self._layers / "launch.toml").write_text("\n".join(lines))
        if lines and not (self._app / "Procfile").exists():
            detail(f"No Procfile: its process types are {', '.join(types)}")

    def _run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What it printed to stdout."""
        with self._started(name, *arguments, stderr=None) as running:
            output, _ = running.communicate()
        return subprocess.CompletedProcess(running.args, running.returncode, output.decode("utf-8", "replace"))

    def _heard(self, name: str, *arguments: str) -> tuple[int, Iterable[str]]:
        """Its exit code and its last lines, each shown as it comes."""
        last: deque[bytes] = deque(maxlen=_MOST_KEPT)
        with self._started(name, *arguments, stderr=subprocess.STDOUT) as running:
            assert running.stdout
            for line in running.stdout:
                sys.stdout.buffer.write(line)
                sys.stdout.flush()
                last.append(line)
        return running.returncode, [line.decode("utf-8", "replace") for line in last]

    def _started(self, name: str, *arguments: str, stderr: int | None) -> subprocess.Popen[bytes]:
        env = dict(os.environ)
        if stack := self._config_var("BP_CLASSIC_STACK") or self._config_var("STACK"):
            env["STACK"] = stack
        argv = [str(self._folder / "bin" / name), *arguments]
        try:
            return subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        except OSError as error:
            raise Refusal(BAD_SOURCE, f"{self._name}/bin/{name} cannot be run: {error.strerror}") from error

    def _config_var(self, name: str) -> str:
        file = self._config / name
        return file.read_text("utf-8", "replace") if file.is_file() else os.environ.get(name, "")


def _table(values: dict[str, str] | list[str], name: str) -> dict[str, str]:
    if isinstance(values, list):
        raise Refusal(BAD_SOURCE, f"bin/release prints a list as {name}, not a table")
    return values


def _lines_of(procfile: Path) -> dict[str, str]:
    """As Heroku reads a Procfile: what is no line of it counts for nothing."""
    lines = procfile.read_text("utf-8-sig", "replace").splitlines()
    return {match[1]: match[2] for match in map(_LINE.fullmatch, lines) if match}


def _last(said: str) -> list[str]:
    return [shown(line) for line in said.split("\n") if line.strip()][-5:]


def _quoted(text: str) -> str:
    """A TOML string; JSON's escapes are the same but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
