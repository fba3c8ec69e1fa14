"""The layer by which processes find Java, trust the public authorities and keep to their container's memory."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import store
import trust
from runtimes import Java

_HEAP = 60
"""Percent of the container's memory; the rest is for threads, classes and code. An -Xmx of the app's counts more."""
_AT_START = Path(__file__).resolve().parents[1] / "launch"


def keep_runtime(layer: Path, java: Java) -> None:
    files = _files(layer, java)
    key = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    if store.known(layer).get("key") != key:
        shutil.rmtree(layer, ignore_errors=True)
        for name, content in files.items():
            path = layer / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755 if name.startswith("exec.d/") else 0o644)
    store.keep(layer, {"launch", "build", "cache"}, {"key": key})


def _files(layer: Path, java: Java) -> dict[str, bytes]:
    public = trust.public()
    options = [f"-XX:MaxRAMPercentage={_HEAP}"]
    if public:
        options.append(f"-Djavax.net.ssl.trustStore={layer}/cacerts")
    env = {
        "env/JAVA_HOME": str(java.home),
        "env/PATH.prepend": f"{java.home}/bin",
        "env/PATH.delim": ":",
        # The app's own come behind these, and the last one counts.
        "env.launch/JAVA_TOOL_OPTIONS.prepend": " ".join(options),
        "env.launch/JAVA_TOOL_OPTIONS.delim": " ",
    }
    files = {name: value.encode() for name, value in env.items()}
    if public:
        files["cacerts"] = trust.key_store(public)
        files["exec.d/trust"] = (_AT_START / "trust").read_text().replace("@LAYER@", str(layer)).encode()
        files["trust/own.py"] = (_AT_START / "own.py").read_bytes()
        files["trust/trust.py"] = Path(trust.__file__).read_bytes()
    return files
