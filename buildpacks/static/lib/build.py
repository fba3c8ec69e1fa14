"""The build: what the app says becomes a few files for nginx, in a layer with the program that starts it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import conf
from settings import add_rules, read_site
from squeeze import squeeze
from talk import Refusal, say_refusal, shown
from website import Site


def main(layers: Path) -> int:
    try:
        site, tables = read_site(os.environ)
        add_rules(site, tables)
        return _build(layers, site)
    except Refusal as refusal:
        return say_refusal(refusal)


def _build(layers: Path, site: Site) -> int:
    """Raises Refusal."""
    if not Path(site.root, "index.html").is_file():
        raise Refusal(
            f"there is no index.html in {shown(site.root)}",
            ["no buildpack before this one has made it"],
            "The root in static.json is the folder that your build writes to, and wherry/nodejs must stand before wherry/static.",
        )
    nginx = shutil.which("nginx")
    if not nginx:
        print(
            " !     there is no nginx\n !     \n !     The buildpack wherry/apt brings it: it must stand before this one."
        )
        return 1
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False)
    print(f"-----> nginx {(said.stderr + said.stdout).rpartition('/')[2].strip()}")
    count, squeezed, digest = squeeze(Path(site.root))
    _lay(layers / "site", site, digest, Path(nginx).parents[2])
    _check(layers / "site", site)
    where = "this folder" if site.root == "." else site.root
    fallback = ", with index.html for every path that is no file" if site.spa else ""
    print(f"       Serving {where}: {count} files, {squeezed} compressed ahead{fallback}")
    if site.headers or site.rules:
        print(f"       {len(site.headers)} headers, {len(site.rules)} redirects and rewrites")
    command = json.dumps(["serve-static", site.root], ensure_ascii=False).replace("\x7f", "\\u007f")
    (layers / "launch.toml").write_text(f'[[processes]]\ntype = "web"\ndefault = true\ncommand = {command}\n')
    return 0


def _lay(layer: Path, site: Site, digest: str, system: Path) -> None:
    """`system`: where the distribution's package of nginx lies, with its types and modules."""
    shutil.rmtree(layer, ignore_errors=True)
    (layer / "bin").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("serve-static"), layer / "bin")
    module = system / "usr/lib/nginx/modules/ngx_http_brotli_static_module.so"
    brotli = module.is_file()
    (layer / "main.conf").write_text(f'load_module "{module}";\n' if brotli else "")
    http = (
        f'include "{system}/etc/nginx/mime.types";\n' + ("brotli_static on;\n" if brotli else "") + conf.http_part(site)
    )
    (layer / "http.conf").write_text(http)
    etag = hashlib.sha256((digest + http + conf.server_part(site, "")).encode()).hexdigest()[:16]
    (layer / "server.conf").write_text(conf.server_part(site, etag))
    layer.with_name(f"{layer.name}.toml").write_text("[types]\nlaunch = true\n")


def _check(layer: Path, site: Site) -> None:
    """nginx's own word on it. Raises Refusal."""
    argv = [str(layer / "bin/serve-static"), site.root, "--test"]
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).split("\n") if line.strip()]
        raise Refusal("nginx cannot serve this site with these headers and redirects", said[:5])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
