"""What takes time and I/O: generators of typed events. Never prints, never parses argv."""
