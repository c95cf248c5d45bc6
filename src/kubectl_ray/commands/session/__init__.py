"""The `kubectl ray session` commands and what they share: about sessions that are open. `cluster session` opens one."""
