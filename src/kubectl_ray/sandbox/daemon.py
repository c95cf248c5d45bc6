"""The background process: everything of the sandbox put together, and its end."""
