"""Bodies in protobuf, which clients with built-in types send: read only. Never: answers, which are JSON or YAML."""
