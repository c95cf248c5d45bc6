"""What the cases stand on: running the plugin, a terminal, kubectl as the judge, a front for faults on the wire.

Never a case, and never an import of the plugin's own code: the suite knows it by its command line alone.
"""
