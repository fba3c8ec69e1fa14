"""M10: from `wherry releases:rollback` to the first answer of the old version, under load, on one machine.

    .venv/bin/python bench/rollback.py [ROUNDS] [REQUESTS_A_SECOND]

Starts a platform of its own, releases two versions of an app, and rolls back from one to the other in turn. The old
processes are gone by then, so a rollback starts the old image again; the limit is that start alone, straight through the
engine's API, in the same run. Peers: `docker start` of a container that was kept, and `docker run` of the image, each
followed by a switch of nginx; a deploy by `git push`. Requests go on all the while and none may fail. Needs root.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from bench.push_to_live import (  # noqa: E402
    newest_container,
    newest_image,
    raw_start,
    rest,
    row,
    switch,
    timed,
    wait_for_answer,
)
from tests.journeys.harness import App, Platform, steady_requests  # noqa: E402

BODIES = {1: "the first", 2: "the second"}


def main(rounds: int, rate: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder:
        platform = Platform.fresh(Path(folder))
        try:
            platform.up()
            app = platform.create("bench", "python-hello")
            pushes = [deployed(app, BODIES[version]) for version in (1, 2)]
            report(app, rounds, rate, pushes[1:])
        finally:
            platform.down()
            if (config := Path(folder) / "user/nginx.conf").exists():
                subprocess.run(["nginx", "-c", str(config), "-s", "stop"], check=False, capture_output=True)


def report(app: App, rounds: int, rate: int, pushes: list[float]) -> None:
    image = newest_image(app)
    ours, asked, starts, like, kept, runs = [], [], [], [], [], []
    with steady_requests(app, rate) as knocks:  # all in turn, so that what disturbs one disturbs each
        for number in range(rounds):  # v2 serves: by the command to v1, and by the API to v2 again
            ours.append(until_body(app, BODIES[1], lambda: by_command(app, 1)))
            starts.append(raw_start(image))
            asked.append(until_body(app, BODIES[2], lambda: by_request(app, 2)))
            like.append(raw_start(image, newest_container(app)))
            kept.append(docker_start(app, image, number))
            runs.append(docker_run(app, image, number))
    print(f"rollback to the first old answer, median of {rounds} (min, max); {rate} requests a second all the while")
    row("wherry releases:rollback", ours)
    row("the API alone, without the start of the command", asked)
    row("  limit: docker create, start, first answer (app boot included)", starts)
    row("  the same on the platform's network, with its limits and init", like)
    nginx = "" if shutil.which("nginx") else " (nginx missing: no switch)"
    row(f"  peer: docker start of a kept container, switch by nginx{nginx}", kept)
    row(f"  peer: docker run, switch by nginx{nginx}", runs)
    row("  peer: git push of the same change, to its answer", pushes)
    limit = statistics.median(starts)
    print(
        f"  wherry is {statistics.median(ours) / limit:.2f} of the limit, the API {statistics.median(asked) / limit:.2f}"
    )
    print(f"  {len(knocks.failures)} of {knocks.requests} requests failed (aim: 0) {knocks.failures[:3] or ''}")
    print("  peers missing here: kamal-proxy")


def deployed(app: App, text: str) -> float:
    app.write("greeting.txt", text)
    app.commit(text)
    return until_body(app, text, app.push)


def by_command(app: App, version: int) -> None:
    app.wherry("releases:rollback", f"v{version}", "--force")


def by_request(app: App, version: int) -> None:
    port, home = app.platform.settings["WHERRY_WEB_PORT"], app.platform.home
    token = (home / "secrets" / "admin-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"release": f"v{version}"}).encode()
    url = f"http://localhost:{port}/apps/{app.name}/releases"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        stream = json.load(answer)["output_stream_url"]
    urllib.request.urlopen(stream).read()  # until its rollout has ended


def until_body(app: App, text: str, work: Callable[[], object]) -> float:
    """Seconds from the begin of `work`, which goes on beside, to the first answer with this text."""
    rest(app)
    host, port = app.url.removeprefix("http://"), int(app.platform.settings["WHERRY_ROUTER_PORT"])
    thread = threading.Thread(target=work)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as browser:
        started = time.perf_counter()
        thread.start()
        body = b""
        while text.encode() not in body:
            time.sleep(0.003)
            browser.request("GET", "/", headers={"Host": host})
            body = browser.getresponse().read()
        taken = time.perf_counter() - started
    thread.join()
    return taken


def docker_start(app: App, image: str, number: int) -> float:
    name = f"wherry-bench-kept-{number}"
    subprocess.run(["docker", "run", "-d", "-e", "PORT=8080", "--name", name, image], check=True, capture_output=True)
    wait_for_answer(f"http://{address(name)}:8080/")
    subprocess.run(["docker", "stop", "-t", "2", name], check=True, capture_output=True)
    return started_and_switched(app, name, ["docker", "start", name])


def docker_run(app: App, image: str, number: int) -> float:
    name = f"wherry-bench-run-{number}"
    return started_and_switched(app, name, ["docker", "run", "-d", "-e", "PORT=8080", "--name", name, image])


def started_and_switched(app: App, name: str, argv: list[str]) -> float:
    def work() -> None:
        subprocess.run(argv, check=True, capture_output=True)
        wait_for_answer(f"http://{address(name)}:8080/")
        switch(app.folder.parent, address(name))

    taken = timed(work)
    subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)
    return taken


def address(name: str) -> str:
    argv = ["docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", name]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main(*(int(value) for value in (*sys.argv[1:3], *("6", "50")[len(sys.argv) - 1 :])))
