"""The way to the API server: kubeconfig, credentials, HTTP/1.1, lists, watches, patches, port-forwards; nothing of Ray."""
