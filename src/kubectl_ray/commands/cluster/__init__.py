"""The `kubectl ray cluster` commands, one module each. Never a second way to do what flows or manifests do."""
