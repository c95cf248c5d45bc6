"""A small client of the node's API server, for what has to be done before and beside the tests."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING, Any

from tests.realcluster.errors import RealClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JSON = "application/json"
YAML = "application/yaml"
MERGE_PATCH = "application/merge-patch+json"


class ApiError(RealClusterError):
    """The API server refused; `code` is the HTTP status, 0 when it could not be reached at all."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Api:
    """Requests, each on a connection of its own: they are few, and the server is stopped and started between them."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._host, self._port, self._tls = host, port, tls

    def request(self, method: str, path: str, body: Any = None, kind: str = JSON, timeout: float = 10) -> Any:
        """The server's answer to one request: an object, or text where the answer is no JSON.

        Raises:
            ApiError: refused, or not reachable.
        """
        connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls, timeout=timeout)
        try:
            connection.request(method, path, _encoded(body), {"Content-Type": kind, "Accept": JSON})
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, f"{method} {path}: the API server does not answer: {error}") from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise ApiError(response.status, f"{method} {path}: {response.status} {_reason(text)}")
        return json.loads(text) if response.headers.get_content_type() == JSON else text

    def watch(self, path: str) -> Iterator[dict[str, Any]]:
        """Events as they come, until the server ends the watch."""
        connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        try:
            connection.request("GET", path, headers={"Accept": JSON})
            response = connection.getresponse()
            if response.status >= http.client.BAD_REQUEST:
                raise ApiError(response.status, f"watch {path}: {_reason(response.read().decode())}")
            for line in response:
                yield json.loads(line)
        except http.client.HTTPException as error:
            raise ApiError(0, f"watch {path}: {error}") from error
        finally:
            connection.close()

    def create(self, path: str, body: dict[str, Any]) -> Any:
        """POST an object."""
        return self.request("POST", path, body)

    def delete(self, path: str, body: dict[str, Any] | None = None) -> None:
        """DELETE an object; one that is not there is fine."""
        try:
            self.request("DELETE", path, body)
        except ApiError as error:
            if error.code != http.client.NOT_FOUND:
                raise

    def exists(self, path: str) -> bool:
        """Whether an object is there."""
        try:
            self.request("GET", path)
        except ApiError as error:
            if error.code == http.client.NOT_FOUND:
                return False
            raise
        return True


def admin(pki: Path, port: int) -> Api:
    """A client with the administrator's certificate."""
    tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return Api("127.0.0.1", port, tls)


def _encoded(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body).encode()


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:400]
