"""The only package that speaks Ray's own HTTP API, through a callable it is given. Knows nothing of Kubernetes."""
