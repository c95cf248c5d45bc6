"""What a bad network and a broken cluster do to a session: nothing hangs, bytes are right, nothing leaks.

Cases of the end-to-end suite (`python -m tests.e2e`) that break something on purpose.
"""
