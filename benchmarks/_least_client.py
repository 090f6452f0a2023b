"""The least that a client can do: bytes out, bytes in, nothing read. What the endpoint itself takes is left over.

python benchmarks/_least_client.py PORT ROWS IN_FLIGHT      prints its seconds, from the first connection on
"""

from __future__ import annotations

import asyncio
import sys
import time

END = b'"fp_fake"}'
"""With what a whole answer of shared/bench/endpoint.py ends."""


class Caller(asyncio.Protocol):
    """One connection: asks until no row is left."""

    def __init__(self, left: list[int], done: asyncio.Event) -> None:
        self.left, self.done = left, done
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        if not self.left:
            return
        body = b'{"model":"fake","messages":[{"role":"user","content":"Task %d"}]}' % self.left.pop()
        head = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.buffer.endswith(END):
            self.buffer = b""
            self.answered()
            self.ask()

    def answered(self) -> None:
        Caller.unanswered -= 1
        if not Caller.unanswered:
            self.done.set()

    unanswered = 0


async def main(port: int, rows: int, in_flight: int) -> float:
    loop, left, done = asyncio.get_running_loop(), list(range(rows)), asyncio.Event()
    Caller.unanswered = rows
    began = time.monotonic()
    opening = (loop.create_connection(lambda: Caller(left, done), "127.0.0.1", port) for _ in range(in_flight))
    await asyncio.gather(*opening)
    await done.wait()
    return time.monotonic() - began


if __name__ == "__main__":
    print(asyncio.run(main(*map(int, sys.argv[1:4]))))
