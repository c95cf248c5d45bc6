"""Streams over upgraded connections: exec, attach and port-forward, over WebSockets and SPDY."""
