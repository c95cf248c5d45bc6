"""A fake API server at the wire: real sockets, scripted faults, recorded requests. It knows nothing of Ray."""

from __future__ import annotations

from tests.wire.clients import ScriptedSocket, client_for
from tests.wire.faults import Fault
from tests.wire.handler import Request
from tests.wire.server import ApiServer
from tests.wire.store import Store

__all__ = ["ApiServer", "Fault", "Request", "ScriptedSocket", "Store", "client_for"]
