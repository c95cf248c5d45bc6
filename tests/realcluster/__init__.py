"""A real Kubernetes node with the real KubeRay operator, for tests: built, started, disturbed and removed from here.

Here belongs what makes the node (builds, images, certificates, namespaces, daemons) and the faults that tests ask for.
Never a test case, and never anything outside Python's standard library: it runs before anything is installed.
"""
