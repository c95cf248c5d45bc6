"""Runs in the head pod: `/bytes/N` gives N bytes, `/echo/WORD` gives `echo WORD.`, anything else `ok`.

Standard library only; Python 3.9, as old Ray images have it. Usage: `python session_server.py PORT`.
"""

from __future__ import annotations

import asyncio
import sys

PIECE = bytes(1 << 20)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers requests until the other side has enough."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ")[1]
            keep = "connection: close" not in head.lower()
            kind, _, word = path.lstrip("/").partition("/")
            size = int(word) if kind == "bytes" else 0
            body = b"" if size else f"echo {word}.".encode() if kind == "echo" else b"ok"
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size or len(body)}\r\n\r\n".encode() + body)
            for start in range(0, size, len(PIECE)):
                writer.write(PIECE[: size - start])
                await writer.drain()
            await writer.drain()
            if not keep:
                break
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def main(port: int) -> None:
    """Listens."""
    server = await asyncio.start_server(serve, "0.0.0.0", port, backlog=1024)  # noqa: S104 - of its pod
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
