"""The other end of the wire: servers and proxies that record what reaches them. Real sockets, real TLS, no patching."""
