"""The HTTP server: paths, verbs, tables, discovery, watches, the service proxy. Never: a rule about objects."""
