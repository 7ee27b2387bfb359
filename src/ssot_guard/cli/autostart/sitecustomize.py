"""Run by ``site`` at the start of every Python under ``ssot-guard run``: guard this process, then step aside.

The program must find what it would find without us: this folder leaves ``sys.path`` again (it stays in ``PYTHONPATH``
for child processes), and the ``sitecustomize`` that we hide runs as itself.
"""

import os
import sys


def _start() -> None:
    try:
        from ssot_guard import bootstrap
    except Exception:  # noqa: BLE001 - another environment, where we are not installed: none of its business
        return
    guarded = bootstrap.start()
    _leave_a_mark("guarded" if guarded else "unguarded")
    if guarded:
        import atexit

        atexit.register(_look)  # after the guard's own, so before it


def _look() -> None:
    """The program is done: what only a look at the whole process finds."""
    from ssot_guard import guard

    current = guard.current_guard()
    if current is not None:
        current.check()


def _leave_a_mark(text: str) -> None:
    """Silence must not look like success: ``run`` counts the processes that were really guarded."""
    spool = os.environ.get("SSOT_GUARD_RUN_SPOOL")
    if spool:
        try:  # noqa: SIM105 - contextlib would be imported in every guarded process
            os.close(os.open(os.path.join(spool, f"{os.getpid()}.{text}"), os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError:
            pass  # `run` has ended, this process has not


def _step_aside() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here or not entry]
    # The one that would have run: through the path finder itself, as `site` does at this moment.
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module  # the import system hands out what stands here when we are done
        spec.loader.exec_module(module)


_start()
_step_aside()
