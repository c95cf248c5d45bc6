"""Measures `kubectl ray` against kubectl, and against any other plugin, in one interleaved run on a real cluster.

Here belongs what runs programs, weighs them and prints ratios. Nothing here is imported by the plugin, and nothing of
the plugin is imported here: it is installed and started as a user's would be.
"""
