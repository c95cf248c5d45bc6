"""The real kubectl says what is right: what it sends with a kubeconfig is what we send."""
