"""M4: from `git push` to the first answer with the new body, on one machine.

    .venv/bin/python bench/push_to_live.py [ROUNDS]

Starts a platform of its own, pushes one-line changes, and prints the median beside its limit (the raw parts, each timed
alone in the same run) and a script of docker build, run and switch. Needs root.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from tests.journeys.harness import App, Platform  # noqa: E402

Rounds = list[float]


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder:
        platform = Platform.fresh(Path(folder))
        try:
            platform.up()
            app = platform.create("bench", "python-hello")
            app.push()
            report(app, rounds)
        finally:
            platform.down()
            if (platform_nginx := Path(folder) / "user/nginx.conf").exists():
                subprocess.run(["nginx", "-c", str(platform_nginx), "-s", "stop"], check=False, capture_output=True)


def report(app: App, rounds: int) -> None:
    live = [push_to_live(app, f"round {number}") for number in range(rounds)]
    image = newest_image(app)
    parts = {
        "git push of one commit to a local path": [raw_push(app, number) for number in range(rounds)],
        "tar and hash of the tree, 2 fsync, 4 registry calls": [raw_export(app) for _ in range(rounds)],
        "docker create, start, first answer (app boot included)": [raw_start(image) for _ in range(rounds)],
    }
    like = [raw_start(image, newest_container(app)) for _ in range(rounds)]
    peer = [script(app, image, number) for number in range(rounds)]
    limit = sum(statistics.median(times) for times in parts.values())
    ours, script_median = statistics.median(live), statistics.median(peer)
    print(f"push to live, median of {rounds} (min, max)")
    row("wherry", live)
    for name, times in parts.items():
        row(f"  part: {name}", times)
    print(
        f"  {'limit: the sum of the parts':<62} {limit * 1000:7.0f} ms   wherry is {ours / limit:.2f} of it (aim: 1.5)"
    )
    row("  the start again, on the platform's network, with its limits and init", like)
    row(
        "  peer: docker build, run, wait, switch by nginx reload"
        + ("" if shutil.which("nginx") else " (nginx missing: no switch)"),
        peer,
    )
    print(f"  wherry takes {ours / script_median:.2f} of the script's time (aim: 0.33)")
    print("  peers missing here: piku, Dokku, kamal-proxy")


def row(name: str, times: Rounds) -> None:
    print(
        f"  {name:<62} {statistics.median(times) * 1000:7.0f} ms   ({min(times) * 1000:.0f}, {max(times) * 1000:.0f})"
    )


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def push_to_live(app: App, text: str) -> float:
    app.write("greeting.txt", text)
    app.commit(text)
    rest(app)
    push = threading.Thread(target=app.push)
    host, port = app.url.removeprefix("http://"), int(app.platform.settings["WHERRY_ROUTER_PORT"])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as browser:
        started = time.perf_counter()
        push.start()
        body = b""
        while text.encode() not in body:
            time.sleep(0.005)
            browser.request("GET", "/", headers={"Host": host})
            body = browser.getresponse().read()
        taken = time.perf_counter() - started
    push.join()
    return taken


def rest(app: App) -> None:
    """Until the processes of the release before have ended: what comes at once waits for them, which is not measured."""
    while len(containers(app)) > 1:
        time.sleep(0.05)


def containers(app: App) -> list[str]:
    listed = ["docker", "ps", "--quiet", "--filter", f"label=wherry.app-name={app.name}"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()


def newest_container(app: App) -> str:
    return containers(app)[0]


def newest_image(app: App) -> str:
    argv = ["docker", "inspect", "--format", "{{.Config.Image}}", newest_container(app)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def raw_push(app: App, number: int) -> float:
    bare = app.folder.parent / "bare.git"
    if not bare.exists():
        app.platform.run("git", "init", "-q", "--bare", str(bare))
    app.write("greeting.txt", f"raw {number}")
    app.commit("raw")
    return timed(lambda: app.git("push", "-q", str(bare), "HEAD:main"))


def raw_export(app: App) -> float:
    def export() -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path in sorted(app.folder.iterdir()):
                if path.name != ".git":
                    tar.add(path, path.name)
        hashlib.sha256(buffer.getvalue()).hexdigest()
        for name in ("one", "two"):
            with (app.folder.parent / name).open("wb") as file:
                file.write(buffer.getvalue())
                file.flush()
                os.fsync(file.fileno())
        for _ in range(4):
            request = urllib.request.Request(f"http://127.0.0.1:{app.platform.settings['WHERRY_REGISTRY_PORT']}/v2/")
            try:
                urllib.request.urlopen(request).close()
            except urllib.error.HTTPError as error:
                error.close()

    return timed(export)


def raw_start(image: str, like: str = "") -> float:
    """Straight through the engine's API: on its own bridge and without limits, or as the container `like`: on the
    platform's network, with its limits and its init.
    """
    import docker

    client = docker.APIClient(base_url="unix:///var/run/docker.sock")
    host = client.create_host_config()
    if like:
        host = {**client.inspect_container(like)["HostConfig"], "RestartPolicy": {"Name": "no"}}
    started = time.perf_counter()
    body = {"Image": image, "Env": ["PORT=8080"], "HostConfig": host}
    container = client.create_container_from_config(body, None)["Id"]
    client.start(container)
    (network,) = client.inspect_container(container)["NetworkSettings"]["Networks"].values()
    wait_for_answer(f"http://{network['IPAddress']}:8080/")
    taken = time.perf_counter() - started
    client.remove_container(container, force=True)
    client.close()
    return taken


def wait_for_answer(url: str) -> None:
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.002)


def script(app: App, image: str, number: int) -> float:
    """What people write by hand: build on a base that has the dependencies, run, wait, switch."""
    app.write("greeting.txt", f"script {number}")
    app.write("Dockerfile", f"FROM {image}\nCOPY --chown=1001 . /workspace\n")
    name = f"wherry-bench-peer-{number}"
    started = time.perf_counter()
    env = {**os.environ, "DOCKER_BUILDKIT": "0"}
    subprocess.run(["docker", "build", "-q", "-t", name, str(app.folder)], check=True, capture_output=True, env=env)
    subprocess.run(["docker", "run", "-d", "-e", "PORT=8080", "--name", name, name], check=True, capture_output=True)
    inspect = ["docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", name]
    address = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip()
    wait_for_answer(f"http://{address}:8080/")
    switch(app.folder.parent, address)
    taken = time.perf_counter() - started
    subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)
    (app.folder / "Dockerfile").unlink()
    return taken


def switch(folder: Path, address: str) -> None:
    """An nginx that is told of the new address: its configuration is written, tested and reloaded."""
    if not shutil.which("nginx"):
        return
    config = folder / "nginx.conf"
    config.write_text(
        f"pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:8399; location / {{ proxy_pass http://{address}:8080; }} }} }}\n"
    )
    running = (folder / "nginx.pid").exists()
    subprocess.run(
        ["nginx", "-c", str(config), *(["-s", "reload"] if running else [])], check=True, capture_output=True
    )
    wait_for_answer("http://127.0.0.1:8399/")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
