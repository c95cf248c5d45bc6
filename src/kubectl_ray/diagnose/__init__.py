"""Pure rules: from a cluster, its pods and its events to why something is not ready, in plain words. Never I/O."""
