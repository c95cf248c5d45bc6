"""Groups of flags that commands share, and how their values are read. Never I/O."""
