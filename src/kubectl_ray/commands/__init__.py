"""One module a command: its Args, its flags, and run(ctx, args), which returns or yields events. Never prints."""
