"""Where the program begins: Ctrl-C ends it without a word from here on, while Python still imports the rest.

What the interpreter does before that (its own start, site-packages, the lines of the installed script) is not ours: a
SIGINT there still shows Python's traceback. So this module imports nothing but what it needs for that.
"""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def entry() -> NoReturn:
    """`kubectl-ray`. A SIGINT that the caller had ignored stays ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kubectl_ray.cli import main

    main.entry()
