"""Kubernetes' own controllers: namespaces, service accounts, quotas, endpoints, jobs, events. Never: Ray's kinds."""
