"""M11: what it costs to take a push.

    .venv/bin/python bench/receive.py [PUSHES] [PACK_MIB]

Small pushes through the transport and both hooks (the answer to a hook is "yes" at once: no build, no ledger), one
big pack, and the export of one tree, each beside its limit and the peers of the same run. Starts a gunicorn of its
own.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from _git_server import ENVIRON, LIMITS
from wherry.hook import FOLDER
from wherry.sources.policy import MIB
from wherry.sources.repositories import Repositories

HERE = Path(__file__).resolve().parent
CLIENTS = (1, 4, 16)
ROUNDS = 3  # in turn, the best counts


def main(pushes: int, pack: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as name:
        folder = Path(name)
        with served(folder / "served") as url:
            small_pushes(folder, url, pushes)
            big_pack(folder, url, pack)
        export(folder)
    print("peers that are not measured: fcgiwrap, sshd, Soft Serve (not part of this run)")


def small_pushes(folder: Path, url: str, pushes: int) -> None:
    print(
        f"\nsmall pushes: {pushes} commits of one changed file, in all, each to its client's own repository; best of {ROUNDS}"
    )
    print(f"{'':42}" + "".join(f"{f'{count} clients':>26}" for count in CLIENTS))
    ways = {
        "wherry (http-backend, lock, two hooks)": lambda app: f"{url}/wherry/{app}.git",
        "peer: http-backend alone, same server": lambda app: f"{url}/plain/{app}.git",
        "limit: git push to a local path": lambda app: str(folder / f"served/local/{app}.git"),
    }
    best: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for clients in CLIENTS:
        each = max(1, pushes // clients)
        rounds = [{name: race(folder, where, clients, each) for name, where in ways.items()} for _ in range(ROUNDS)]
        for name in ways:
            took, cpu = min(one[name] for one in rounds)
            best[name].append((each * clients / took, cpu / (each * clients)))
    for name, cells in best.items():
        print(f"{name:42}" + "".join(f"{f'{rate:6.1f}/s {cpu * 1000:5.1f} ms CPU':>26}" for rate, cpu in cells))
    ours, *others = best.values()
    for name, theirs in zip(("http-backend alone", "its limit"), others, strict=True):
        ratios = "".join(f"{mine[0] / other[0]:>25.2f}×" for mine, other in zip(ours, theirs, strict=True))
        print(f"{f'wherry against {name}':42}{ratios}")


def race(folder: Path, where: Callable[[int], str], clients: int, each: int) -> tuple[float, float]:
    """(seconds, CPU seconds of both sides) for all clients to push all their commits."""
    shops = [workshop(folder / f"client-{secrets.token_hex(4)}", each) for _ in range(clients)]
    for app in range(1, clients + 1):
        fresh(folder / "served", app)

    def client(number: int) -> None:
        shop, commits = shops[number]
        for commit in commits:
            git(shop, "push", "--quiet", where(number + 1), f"{commit}:refs/heads/main")

    before, started = cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    took = time.perf_counter() - started
    spent = cpu_seconds() - before
    for shop, _ in shops:
        shutil.rmtree(shop)
    return took, spent


def big_pack(folder: Path, url: str, size: int) -> None:
    print(f"\none pack of {size} MiB that no compression makes smaller")
    shop = folder / "big"
    shop.mkdir()
    git(shop, "init", "--quiet")
    git(shop, "config", "core.compression", "0")
    git(shop, "config", "core.bigFileThreshold", "64k")
    for number in range(size):
        (shop / str(number)).write_bytes(random.randbytes(MIB))
    git(shop, "add", ".")
    git(shop, "commit", "--quiet", "-m", "big")
    pack = folder / "big.pack"
    with pack.open("wb") as file:
        subprocess.run(
            ["git", "-C", shop, "pack-objects", "--revs", "--stdout", "-q"],
            input=b"HEAD\n",
            stdout=file,
            env=ENVIRON,
            check=True,
        )
    fresh(folder / "served", 1)
    with pack.open("rb") as file:
        index = seconds(
            lambda: subprocess.run(
                ["git", f"--git-dir={folder}/served/local/1.git", "index-pack", "--stdin"],
                stdin=file,
                stdout=subprocess.DEVNULL,
                env=ENVIRON,
                check=True,
            )
        )
    pack.unlink()
    ways = {
        "wherry": f"{url}/wherry/1.git",
        "peer: http-backend alone": f"{url}/plain/1.git",
        "local path": str(folder / "served/local/1.git"),
    }
    for name, target in ways.items():
        fresh(folder / "served", 1)
        row(name, seconds(lambda to=target: git(shop, "push", "--quiet", to, "HEAD:refs/heads/main")), size)  # type: ignore[misc]
    row("limit: git index-pack --stdin of that pack", index, size)
    shutil.rmtree(shop)


def export(folder: Path) -> None:
    print("\nexport of one tree, 2,000 files of 4 KiB (median of 5)")
    repositories = Repositories(folder / "export", FOLDER, LIMITS)
    repositories.create(1)
    shop, _ = workshop(folder / "tree", 1)
    for number in range(2000):
        path = shop / f"{number % 50}/{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(random.randbytes(4096))
    git(shop, "add", ".")
    git(shop, "commit", "--quiet", "-m", "tree")
    commit = git(shop, "rev-parse", "HEAD")
    bare = repositories.path(1)
    git(bare, "fetch", "--quiet", str(shop), commit)

    def durable() -> None:
        shutil.rmtree(folder / "export/1.trees", ignore_errors=True)
        repositories.export(1, commit, None)

    def archive() -> None:
        git(bare, "archive", f"--output={folder}/peer.tar", commit)

    row("wherry (limits, links, fsync)", median(durable), 8)
    row("wherry, the same tree again", median(lambda: repositories.export(1, commit, None)), 8)
    row("peer: git archive", median(archive), 8)


def row(name: str, took: float, mib: int) -> None:
    print(f"{name:42}{took * 1000:10.1f} ms{mib / took:10.1f} MiB/s")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(work: Callable[[], object]) -> float:
    return statistics.median(seconds(work) for _ in range(5))


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], env=ENVIRON, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


def workshop(folder: Path, commits: int) -> tuple[Path, list[str]]:
    folder.mkdir()
    git(folder, "init", "--quiet")
    made = []
    for number in range(commits):
        (folder / "file").write_text(f"{number} {folder}")
        git(folder, "add", "file")
        git(folder, "commit", "--quiet", "-m", str(number))
        made.append(git(folder, "rev-parse", "HEAD"))
    return folder, made


def fresh(served_folder: Path, app: int) -> None:
    """Empty repositories for the next race."""
    Repositories(served_folder / "wherry", FOLDER, LIMITS).remove(app)
    Repositories(served_folder / "wherry", FOLDER, LIMITS).create(app)
    for name in ("plain", "local"):
        shutil.rmtree(served_folder / f"{name}/{app}.git", ignore_errors=True)
        (served_folder / name).mkdir(exist_ok=True)
        git(served_folder / name, "init", "--quiet", "--bare", f"{app}.git")
        git(served_folder / f"{name}/{app}.git", "config", "http.receivepack", "true")


def cpu_seconds() -> float:
    """Of this process, of all that it started and that has ended, and of the server with all that it started."""
    own = os.times()
    fields = [Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split() for process in server_processes]
    ticks = sum(int(value) for line in fields for value in line[11:15])
    return sum(own[:4]) + ticks / os.sysconf("SC_CLK_TCK")


server_processes: list[int] = []


@contextmanager
def served(folder: Path) -> Iterator[str]:
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    application = f'_git_server:application("{folder}", {port})'
    argv = [sys.executable, "-m", "gunicorn", "--chdir", str(HERE), "--bind", f"127.0.0.1:{port}", "--threads", "48"]
    with subprocess.Popen([*argv, "--log-level", "warning", application]) as server:
        try:
            wait_for(port)
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            server_processes[:] = [int(child) for child in children]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server of this benchmark did not start")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers + [32, 200][len(numbers) :]))
