"""Guard every Python process of this environment that is asked to be guarded.

Put this file (or its two parts) on ``sys.path`` as ``sitecustomize.py``: Python's ``site`` imports it at each start.
``SSOT_GUARD_POLICY`` in the environment switches the guard on; without it nothing is installed, and ``SSOT_GUARD=off``
beats everything. Python runs only the *first* ``sitecustomize`` that it finds, so the second part runs the one that
this file hides. Both parts are harmless when they run twice, and when ssot-guard has been uninstalled.
"""

import os
import sys


def guard() -> None:
    """Start the guard; a Python without ssot-guard starts as if this file were not there."""
    try:
        from ssot_guard import bootstrap
    except ImportError:
        return
    bootstrap.start()


def run_hidden() -> None:
    """Run the next ``sitecustomize.py`` along ``sys.path``, as Python would have without this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    for folder in sys.path:
        candidate = os.path.join(folder, "sitecustomize.py")
        if os.path.abspath(folder) != here and os.path.isfile(candidate):
            with open(candidate, "rb") as source:
                code = compile(source.read(), candidate, "exec")
            exec(code, {"__name__": "sitecustomize", "__file__": candidate})  # noqa: S102 - site would import it
            return


guard()
run_hidden()
