"""An answer of HTTP as it came, for callers that speak to what is behind the API server."""

from __future__ import annotations


class Answer:
    """An answer as it came: for what is not the API server's own, such as a service behind its proxy.

    `headers` have their names in lower case.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str:
        """The first value of a header, its name in lower case; "" where there is none."""
        return next((value for key, value in self.headers if key == name), "")
