"""The `kubectl ray cluster` commands, one module each; what those share that read, and those that write.

Never a second way to do what flows or manifests do.
"""
