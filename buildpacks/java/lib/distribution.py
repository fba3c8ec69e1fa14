"""Maven or Gradle itself, as the app's wrapper names it: fetched once, kept in a layer for builds only."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import project
import store
from talk import BAD_SOURCE, FAILED, NETWORK, Refusal, detail, step

_HTTP_ERROR = 22  # curl's exit code for an answer of 400 and above
_URL = re.compile(r"https?://[A-Za-z0-9._~:/@%+-]+\.(?:zip|tar\.gz)")


def ensure(layers: Path, tool: str, wrapper: Path, env: Mapping[str, str]) -> Path:
    """The folder with bin/ of the tool ("maven", "gradle") that the wrapper's properties name. Raises Refusal."""
    named = project.properties(wrapper)
    url, digest = named.get("distributionUrl", ""), named.get("distributionSha256Sum", "").lower()
    if tool == "maven" and env.get("MVNW_REPOURL") and "/org/apache/maven/" in url:
        url = env["MVNW_REPOURL"].rstrip("/") + "/org/apache/maven/" + url.partition("/org/apache/maven/")[2]
    if not _URL.fullmatch(url):
        hint = f"Write it anew with: {'mvn wrapper:wrapper' if tool == 'maven' else 'gradle wrapper'}"
        raise Refusal(BAD_SOURCE, f"{wrapper} names no distributionUrl of a .zip: {url[:100]!a}", "", hint)
    layer = layers / tool
    key = f"{url} {digest}"
    if store.known(layer).get("key") == key:
        store.keep(layer, {"cache"}, {"key": key})
        return _root(layer)
    shutil.rmtree(layer, ignore_errors=True)
    step(f"Getting {url.rpartition('/')[2]}")
    layer.mkdir(parents=True)
    archive = layers / f".{tool}-archive"
    try:
        _fetch(url, archive, wrapper)
        if digest and (is_one := _digest(archive)) != digest:
            raise Refusal(BAD_SOURCE, f"{url} is another file than {wrapper} says", f"its sha256 is {is_one}")
        _unpack(archive, layer, url)
    finally:
        archive.unlink(missing_ok=True)
    if not digest:
        detail(f"{wrapper.name} has no distributionSha256Sum, so nothing tells whether it is the right file")
    root = _root(layer)
    store.keep(layer, {"cache"}, {"key": key})
    return root


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _fetch(url: str, archive: Path, wrapper: Path) -> None:
    argv = ["curl", "-fsSL", "--proto", "=http,https", "--retry", "2", "--connect-timeout", "20", "--max-time", "900"]
    argv += ["-w", "%{http_code}", "-o", str(archive), "--", url]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode == _HTTP_ERROR and done.stdout.strip() in ("404", "410"):
        raise Refusal(BAD_SOURCE, f"{_shown(url)} is not there", "", f"Is distributionUrl in {wrapper} right?")
    if done.returncode:
        said = done.stderr.strip().split("\n")[-1][:300]
        raise Refusal(NETWORK, f"{_shown(url)} could not be fetched", said)


def _unpack(archive: Path, layer: Path, url: str) -> None:
    try:
        if url.endswith(".tar.gz"):
            subprocess.run(["tar", "-xzf", archive, "-C", layer], check=True, capture_output=True)
            return
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                path = Path(opened.extract(info, layer))
                if not info.is_dir() and (mode := info.external_attr >> 16 & 0o755):
                    path.chmod(mode)
    except (zipfile.BadZipFile, subprocess.CalledProcessError) as error:
        shutil.rmtree(layer)
        raise Refusal(NETWORK, f"{_shown(url)} came as a file that cannot be unpacked") from error


def _root(layer: Path) -> Path:
    found = [each.parent.parent for pattern in ("*/bin/mvn", "*/bin/gradle") for each in layer.glob(pattern)]
    if not found:
        raise Refusal(FAILED, f"what distributionUrl names has no bin/{'mvn' if layer.name == 'maven' else 'gradle'}")
    return found[0]


def _shown(url: str) -> str:
    """Without a login."""
    return url.replace(f"{urlsplit(url).netloc.rpartition('@')[0]}@", "") if "@" in url else url
