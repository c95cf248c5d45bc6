"""Pure rules: from facts about a cluster to findings in plain words. Never I/O."""
