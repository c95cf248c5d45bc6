"""Pure functions from what a user asked for to the Kubernetes objects that mean it. Never I/O."""
