"""What Kubernetes streams over an upgraded connection: exec, attach and port-forward, with their framings.

Belongs here: SPDY/3.1, the WebSocket channels, taking a connection over below the HTTP server, and the sessions on top
of them. Never: who may do it (`serving`), how a process is started or which host port is which (`node`): both are
handed in.
"""
