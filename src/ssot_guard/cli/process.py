"""A child process that behaves as if it were this one: same terminal, same signals, same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT", "SIGWINCH")
_FROM_KEYS = ("SIGINT", "SIGQUIT", "SIGWINCH")  # a terminal sends these to the whole group, the child included


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end; returns its status, negative for the signal that killed it."""
    waiting: list[int] = []
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        if number in from_keys and _terminal_is_ours():
            return
        if child is None:
            waiting.append(number)
        else:
            child.send_signal(number)

    from_keys = {getattr(signal, name, None) for name in _FROM_KEYS}
    before = {number: signal.signal(number, forward) for number in _signals()}
    try:
        child = subprocess.Popen(command, env=dict(environ))  # noqa: S603 - running it is what was asked for
        for number in waiting:
            child.send_signal(number)
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signals() -> Iterator[signal.Signals]:
    """What to forward; what is ignored here is ignored there too, so it is left alone (``nohup``)."""
    for name in _FORWARDED:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            yield number


def _terminal_is_ours() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return sys.platform == "win32"  # a console sends Ctrl-C to all of its processes
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def end_like(status: int) -> int:
    """The exit status for a child's status; where a signal killed it, die by the same one, as a shell expects."""
    if status >= 0 or os.name != "posix":
        return status
    sys.stdout.flush()
    sys.stderr.flush()
    _without_core_dump()
    if -status != signal.SIGKILL:  # its action cannot be set
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
    return 128 - status  # a signal that is blocked or ignored for us


def _without_core_dump() -> None:
    """The child has written its own; ours would replace it."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
