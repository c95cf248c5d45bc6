"""The `kubectl ray cluster worker-group` commands, one module each."""
