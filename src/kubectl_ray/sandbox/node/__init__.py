"""The one machine: places pods, runs their containers as local processes, probes, restarts and ends them."""
