"""The way to the API server: kubeconfig, credentials, HTTP/1.1, lists, watches, patches. Knows nothing of Ray."""
