"""The terminal: the only code that reads argv, prints and exits. Never a decision about a cluster."""
