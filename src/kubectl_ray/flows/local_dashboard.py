"""Ray's dashboard at the end of a tunnel: plain HTTP to a port of this machine."""

from __future__ import annotations

from kubectl_ray.ray.dashboard import Dashboard

PATIENCE = 10.0
"""Seconds to wait for one answer."""
_MOST = 8_000_000
"""Bytes of one answer that are read."""


def dashboard(host: str, port: int, token: str = "") -> Dashboard:
    """The dashboard behind this port. No proxy is asked, whatever the environment says: the port is of this machine."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(method: str, path: str) -> tuple[int, str, bytes]:
        from http.client import HTTPConnection, HTTPException

        connection = HTTPConnection(host, port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read(_MOST)
        except (OSError, HTTPException):
            return 0, "", b""
        finally:
            connection.close()

    return Dashboard(ask)
