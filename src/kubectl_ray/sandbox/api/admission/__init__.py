"""What the API server adds to objects and refuses of them, kind by kind: defaults, limits, quotas, what may not change.

Never: shapes and types of fields (`api.shapes`), or what controllers do later.
"""
