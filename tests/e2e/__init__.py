"""One suite for any cluster: the real one, a sandbox, or the one that CONTEXT names; in a namespace of its own.

Here belong cases that run `kubectl ray …` as a person does and look at the effect with kubectl. Never a case that looks
inside the plugin, and never one that needs luck: a wait has a condition, a fault is asked for.
"""
