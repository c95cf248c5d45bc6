"""Small read-only classes over raw Kubernetes objects; they never raise on a missing or wrongly typed field."""
