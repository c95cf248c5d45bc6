"""Everything that is held against the program: fast parts first, then whole command lines."""
