"""The README's first command: a Ray cluster's life on the reader's own Kubernetes, each command shown before it runs.

Here belongs the journey and nothing else: no measuring, no checking of what the plugin's tests check.
"""
