"""The README's first command: a Ray cluster's life, each command shown before it runs.

In a sandbox of its own that is gone afterwards, or on the reader's Kubernetes. Here belongs the journey and nothing
else: no measuring, no checking of what the plugin's tests check. A new command adds its step to `journey.py`.
"""
