"""Log tail with 50 readers: one app writes, all follow it through the API, and each must get every line once.

    .venv/bin/python bench/tail.py [READERS] [LINES_A_SECOND] [SECONDS]

Measured: from the moment before a line is appended to the log until a reader has it, and the web server's processor time.
Limit: the same lines written to as many sockets by one loop of one process, which stores nothing, escapes nothing and
asks nobody. Peer: as many `tail -F` on one plain file.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from wherry.cli.client import Client  # noqa: E402
from wherry.cli.places import Endpoint  # noqa: E402
from wherry.domain.log import Entry, LogLine  # noqa: E402
from wherry.fittings.stores import migrate, open_app_logs, open_ledger  # noqa: E402
from wherry.home import Home  # noqa: E402
from wherry.settings import Settings  # noqa: E402
from wherry.supervisor.account import open_account  # noqa: E402
from wherry.supervisor.services import services  # noqa: E402

from bench._load import TICKS, free_port, running  # noqa: E402

SENT = re.compile(rb"sent (\d+) number (\d+) ")
FILLER = "x" * 80


@dataclass
class Reader:
    times: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def take(self, raw: bytes) -> None:
        if match := SENT.search(raw):
            self.times.append(time.time_ns() / 1e9 - int(match[1]) / 1e9)
            self.numbers.append(int(match[2]))


def main(count: int, rate: int, seconds: int) -> None:
    wanted = rate * seconds
    print(f"{count} readers, {rate} lines a second for {seconds} s; ms from write to reader: median, 99 %, worst")
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder:
        report("limit: one loop", *asyncio.run(loop(count, rate, wanted)), wanted)
        report("peer: tail -F", *asyncio.run(tails(Path(folder) / "plain", count, rate, wanted)), wanted)
        report("wherry", *through_the_api(Path(folder), count, rate, wanted), wanted)


def report(name: str, readers: list[Reader], processor: float, wanted: int) -> None:
    times = sorted(each for reader in readers for each in reader.times)
    whole = sum(reader.numbers == list(range(wanted)) for reader in readers)
    p99, worst = times[int(len(times) * 0.99)] * 1e3, times[-1] * 1e3
    print(
        f"  {name:<16}{statistics.median(times) * 1e3:8.1f}{p99:8.1f}{worst:8.1f}"
        f"   {whole} of {len(readers)} got every line once   {processor:.2f} s of processor time"
    )


def line(number: int) -> str:
    return f"sent {time.time_ns()} number {number} {FILLER}"


def through_the_api(folder: Path, count: int, rate: int, wanted: int) -> tuple[list[Reader], float]:
    port = free_port()
    settings = Settings.load({"WHERRY_HOME": str(folder / "home"), "WHERRY_WEB_PORT": str(port)})
    home = Home(settings.folder)
    home.prepare()
    migrate(settings)
    api = Client(Endpoint(settings.web_url, open_account(settings, home), "the benchmark"))
    web = next(each for each in services(settings, home) if each.name == "web")
    with running(list(web.argv), port, env=dict(web.env), cwd=web.cwd) as process:
        api.post("apps", body={"name": "bench"})
        with open_ledger(settings).begin(read_only=True) as tx:
            app = tx.apps.by_name("bench")
        urls = [api.post("apps", "bench", "log-sessions", body={"tail": True})["logplex_url"] for _ in range(count)]
        logs = open_app_logs(settings)

        def write(number: int) -> None:
            at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            logs.append(app.id, [Entry(LogLine(at, "app", "web.1", line(number)))])

        before = processor_of(process.pid)
        readers = asyncio.run(follow(urls, port, rate, wanted, write))
        return readers, processor_of(process.pid) - before


async def follow(urls: list[str], port: int, rate: int, wanted: int, write: Callable[[int], None]) -> list[Reader]:
    readers = [Reader() for _ in urls]
    links = []
    for url in urls:
        link = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        path = "/" + url.split("/", 3)[3]
        link[1].write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
        assert b"200" in await link[0].readline()
        links.append(link)
    threading.Thread(target=paced, args=(rate, wanted, write)).start()
    await asyncio.gather(*(drain(link[0], reader, wanted) for link, reader in zip(links, readers, strict=True)))
    for _, writer in links:
        writer.close()
    return readers


async def drain(stream: asyncio.StreamReader, reader: Reader, wanted: int) -> None:
    while len(reader.numbers) < wanted:
        reader.take(await asyncio.wait_for(stream.readline(), 60))


def paced(rate: int, wanted: int, write: Callable[[int], None]) -> None:
    began = time.monotonic()
    for number in range(wanted):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        write(number)


async def loop(count: int, rate: int, wanted: int) -> tuple[list[Reader], float]:
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    readers = [Reader() for _ in range(count)]
    links = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    tasks = [asyncio.create_task(drain(link[0], reader, wanted)) for link, reader in zip(links, readers, strict=True)]
    before, began = time.process_time(), time.monotonic()
    for number in range(wanted):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        raw = line(number).encode() + b"\n"
        for writer in writers:
            writer.write(raw)
    await asyncio.gather(*tasks)
    server.close()
    return readers, time.process_time() - before


async def tails(path: Path, count: int, rate: int, wanted: int) -> tuple[list[Reader], float]:
    path.touch()
    readers = [Reader() for _ in range(count)]
    argv = ("tail", "-n", "+1", "-F", str(path))
    processes = [await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE) for _ in range(count)]

    def write(number: int) -> None:
        with path.open("a") as file:
            file.write(line(number) + "\n")

    threading.Thread(target=paced, args=(rate, wanted, write)).start()
    streams = [process.stdout for process in processes if process.stdout]
    await asyncio.gather(*(drain(stream, reader, wanted) for stream, reader in zip(streams, readers, strict=True)))
    used = sum(processor_of(process.pid) for process in processes)
    for process in processes:
        process.kill()
        await process.wait()
    return readers, used


def processor_of(pid: int) -> float:
    """Seconds of this process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _own(pid) + sum(_own(int(child)) for child in children)


def _own(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICKS


if __name__ == "__main__":
    asked = [int(each) for each in sys.argv[1:]]
    main(*(asked + [50, 100, 10][len(asked) :]))
