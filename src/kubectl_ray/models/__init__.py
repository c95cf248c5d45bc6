"""Small read-only classes over raw Kubernetes objects, and the values in them: times, quantities, names, judgements.

They never raise on a missing or wrongly typed field; only what a person wrote is refused, with a hint. Never I/O.
"""
