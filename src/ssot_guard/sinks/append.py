"""Appending to a file descriptor in somebody else's process: no lock, no buffer, no signal, no surprise."""

from __future__ import annotations

import _signal  # `signal` itself builds enums, which start-up must not pay for
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SIGPIPE: int | None = getattr(_signal, "SIGPIPE", None)
_FLAGS = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOINHERIT", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO without a reader must not stop the host
)


class ShortWriteError(OSError):
    """Part of a line was written before the error: what follows must start on a line of its own."""


def open_append(path: str) -> int:
    """A descriptor that appends to ``path``; the file is created where it is missing."""
    return os.open(path, _FLAGS, 0o644)


def identity(fd: int) -> tuple[int, int]:
    """What a descriptor refers to. A daemon may close our number, and a socket of its own may then get it."""
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


def write_line(fd: int, line: bytes) -> None:
    """The whole line, in one ``os.write`` unless the system takes less; raises ``OSError``, never a signal."""
    if _SIGPIPE is None or _signal.getsignal(_SIGPIPE) == _signal.SIG_IGN:
        _write(fd, line)
    else:
        _without_sigpipe(_SIGPIPE, lambda: _write(fd, line))


def _write(fd: int, line: bytes) -> None:
    left = line
    try:
        while left:
            left = left[os.write(fd, left) :]
    except OSError as error:
        if len(left) < len(line):
            raise ShortWriteError(error.errno, error.strerror) from error
        raise


def _without_sigpipe(sigpipe: int, write: Callable[[], None]) -> None:
    """Keep a closed pipe from killing a host that has given SIGPIPE its default action back.

    The signal goes to the writing thread, so blocking it here and taking it off the queue is invisible elsewhere.
    """
    pending = sigpipe in _signal.sigpending()
    blocked = _signal.pthread_sigmask(_signal.SIG_BLOCK, {sigpipe})
    try:
        write()
    except BrokenPipeError:
        if not pending and sigpipe in _signal.sigpending():
            _signal.sigwait({sigpipe})
        raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)
