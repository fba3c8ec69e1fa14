"""GET / at a steady rate until stdin closes: python knock.py ADDRESS:PORT HOST PER_SECOND.

Prints each failure, and at last the number of requests.

New connections and kept ones alternate, since a switch may hurt either.
"""

from __future__ import annotations

import asyncio
import sys


class Knocker:
    def __init__(self, place: str, host: str) -> None:
        self.place = place.split(":")
        self.request = f"GET / HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n".encode()
        self.kept: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.count = 0

    async def knock(self, keep: bool) -> None:
        self.count += 1
        try:
            await asyncio.wait_for(self._exchange(keep), 20)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            print(f"{type(error).__name__}: {error}", flush=True)

    async def _exchange(self, keep: bool) -> None:
        reader, writer = (self._kept() if keep else None) or await asyncio.open_connection(*self.place)
        writer.write(self.request + (b"\r\n" if keep else b"Connection: close\r\n\r\n"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        length = next(
            (int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), None
        )
        body = await reader.readexactly(length) if length is not None else await self._chunked(reader)
        if status != 200:
            print(f"status {status}: {body[:80]!r}", flush=True)
        if keep:
            self.kept.append((reader, writer))
        else:
            writer.close()

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """One that is open yet: a server may close what was idle for a while (RFC 9112, 9.5), and no request was on it."""
        while self.kept:
            reader, writer = self.kept.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _chunked(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body


async def main(place: str, host: str, per_second: int) -> None:
    loop = asyncio.get_running_loop()
    closed = loop.run_in_executor(None, sys.stdin.read)
    knocker, running = Knocker(place, host), set()
    print("knocking", flush=True)
    due = loop.time()
    while not closed.done():
        task = asyncio.create_task(knocker.knock(knocker.count % 2 == 0))
        running.add(task)
        task.add_done_callback(running.discard)
        due += 1 / per_second
        await asyncio.sleep(max(0, due - loop.time()))
    await asyncio.gather(*running)
    print(knocker.count, flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
