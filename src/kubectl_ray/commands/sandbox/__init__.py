"""The `kubectl ray sandbox` commands, and what they share: the only code that starts anything of kubectl_ray.sandbox.

Never imported by another command: to those the sandbox is a Kubernetes cluster like any other.
"""
