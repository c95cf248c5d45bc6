"""The embedded local cluster: Kubernetes' API, a node and KubeRay's behaviour in one background process.

Belongs here: all that `kubectl ray sandbox` runs. Pods are real local Ray processes. It imports nothing from the rest
of the plugin, so that what the plugin says about a cluster is proven against something that it did not write itself;
and only `commands/sandbox` starts it. Never: anything that the plugin needs against a real cluster.
"""
