"""The way to the API server: kubeconfig, login, HTTP/1.1, lists, watches, patches, port-forwards; nothing of Ray."""
