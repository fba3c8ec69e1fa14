"""Node.js and npm in layers. The first of all comes from a wheel that is pinned by hash; what the app asks for then comes
from the npm registry, whose integrity npm checks, and for the versions in pins.txt we do too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import bootstrap
import store
from registry import Npm, machine, not_available
from store import Layers
from talk import NETWORK, OTHER, Refusal, detail, error_line, output_of, step
from wanted import DEFAULT_MAJOR, Request, bad

_HERE = Path(__file__).parent
_NODE = {"launch", "build", "cache"}
_TOOLS = {"cache"}


@dataclass(frozen=True, slots=True)
class Node:
    """`version` without a v. `client`: npm, for what else comes from the registry."""

    version: str
    node: Path
    headers: Path
    npm: Path
    client: Npm

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def ensure(layers: Layers, request: Request, env: Mapping[str, str]) -> Node:
    """Layers `node`, `headers` and `npm`. A range is looked up anew once a month; without the registry the last one
    stays. Raises Refusal.
    """
    layer = layers.folder / "node"
    month = "" if request.exact else datetime.now(UTC).strftime("%Y-%m")
    key = store.key_of("node 1", request.range, month, machine())
    known = layers.known("node")
    npm = layers.folder / "npm"
    have = all(path.exists() for path in (layer / "bin/node", npm / "bin/npm", layers.folder / "headers/include"))
    if have and known.get("key") == key:
        version = known["version"]
        step(f"Node.js {version}")
    else:
        version, key = _made(layers, request, key, known if have else {}, env)
    layers.keep("node", _NODE, {"key": key, "range": request.range, "version": version})
    layers.keep("npm", _NODE, {})
    layers.keep("headers", _TOOLS, {})
    return Node(version, layer / "bin/node", layers.folder / "headers", npm, _client(layers, version, env))


def _made(
    layers: Layers, request: Request, key: str, known: Mapping[str, str], env: Mapping[str, str]
) -> tuple[str, str]:
    """The version and the key that count now."""
    if not known:
        root = bootstrap.unpack(layers.work, env)
        _lay_npm(layers, root / "lib/node_modules/npm")
        known = {"version": bootstrap.version()}
        client = Npm(lambda: root / "bin/node", layers.folder / "npm/npm/bin/npm-cli.js", layers.work / "npm", env)
    else:
        client = _client(layers, known["version"], env)
    try:
        version = _choose(client, request)
        if version == known["version"]:
            step(f"Node.js {version}")
            if "key" not in known:
                _lay(layers, bootstrap.unpack(layers.work, env))
            return version, key
        step(f"Getting Node.js {version}{f', as {request.source} asks' if request.source else ''}")
        if not request.source:
            detail(f"Nothing asks for another; to choose one, set engines.node in package.json to {DEFAULT_MAJOR}.x")
        _fetch(layers, client, version, env)
    except Refusal as refusal:
        if refusal.code != NETWORK or known.get("range") != request.range:
            raise
        error_line(f"{refusal.lines[0]}: Node.js {known['version']} of the last build is used again")
        return known["version"], known["key"]
    return version, key


def _choose(client: Npm, request: Request) -> str:
    """The newest of the default major that fits, else the newest of an even major, else the newest."""
    versions = client.versions(f"node-linux-{machine()}", f"Node.js {request.range}")
    fitting = client.matching(request.range, versions)
    if fitting is None:
        raise bad(request.range, request.source)
    if not fitting:
        hint = f"Ask for one of them in {request.source or 'engines.node of package.json'}."
        raise not_available("Node.js", request.range, request.source, versions, hint)
    majors = [int(each.partition(".")[0]) for each in fitting]
    favoured = [DEFAULT_MAJOR, *(major for major in majors if major % 2 == 0), majors[0]]
    chosen = next(major for major in favoured if major in majors)
    return fitting[majors.index(chosen)]


def _fetch(layers: Layers, client: Npm, version: str, env: Mapping[str, str]) -> None:
    package = f"node-linux-{machine()}"
    archive, integrity = client.pack(package, version, "Node.js")
    pinned = dict(line.rsplit(" ", 1) for line in (_HERE / "pins.txt").read_text().splitlines())
    if pinned.get(f"{package}@{version}", integrity) != integrity:
        raise Refusal(OTHER, f"{package} {version} of this registry is not the one that was published: {integrity}")
    fresh = layers.work / "node"
    fresh.mkdir(parents=True)
    wanted = [f"package/{name}" for name in ("bin/node", "include", "LICENSE")]
    argv = ["tar", "-xzf", str(archive), "-C", str(fresh), "--no-same-owner", "--strip-components=1", *wanted]
    code, _, said = output_of(argv, env, fresh)
    if code != 0:
        raise Refusal(OTHER, f"{package} {version} cannot be unpacked", said[:5])
    archive.unlink()
    _lay(layers, fresh)


def _lay(layers: Layers, fresh: Path) -> None:
    """The program in one layer, for the app; what compilers read in another, for builds."""
    (fresh / "bin/node").chmod(0o755)
    headers = layers.fresh("headers")
    headers.mkdir()
    (fresh / "include").rename(headers / "include")
    node = layers.fresh("node")
    fresh.rename(node)
    store.write_env(
        node,
        {
            "env.launch/NODE_ENV.default": "production",
            "env.build/NODE_ENV.default": "production",
            # npm signals the shell of its script: bash gives its place to the program, Debian's sh does not.
            "env.launch/NPM_CONFIG_SCRIPT_SHELL.default": "/bin/bash",
            "env.launch/NPM_CONFIG_UPDATE_NOTIFIER.default": "false",
            "env.launch/NPM_CONFIG_CACHE.default": "/tmp/.npm",  # noqa: S108 - of the app's container, where little else can be written
            "env.launch/PATH.append": str(Path.cwd() / "node_modules/.bin"),
            "env.launch/PATH.delim": ":",
        },
    )


def _lay_npm(layers: Layers, package: Path) -> None:
    npm = layers.fresh("npm")
    (npm / "bin").mkdir(parents=True)
    package.rename(npm / "npm")
    for name in ("npm", "npx"):
        script = npm / f"npm/bin/{name}-cli.js"
        script.chmod(0o755)
        (npm / "bin" / name).symlink_to(f"../npm/bin/{name}-cli.js")
    # npm is read at the launch too: its own node-gyp is a program there.
    for program in (npm / "npm/node_modules/node-gyp").rglob("*"):
        if program.is_file() and program.suffix in ("", ".js", ".py"):
            program.chmod(0o755)
    (npm / "npm/bin/node-gyp-bin/node-gyp").chmod(0o755)


def _client(layers: Layers, version: str, env: Mapping[str, str]) -> Npm:
    """npm needs a Node.js of these years: an app's older one cannot run it."""

    def node() -> Path:
        if int(version.partition(".")[0]) >= bootstrap.OLDEST_MAJOR:
            return layers.folder / "node/bin/node"
        return bootstrap.unpack(layers.work, env) / "bin/node"

    return Npm(node, layers.folder / "npm/npm/bin/npm-cli.js", layers.work / "npm", env)
