"""What takes time and I/O: find, count, watch, change, wait (a generator of events). Never prints or parses argv."""
