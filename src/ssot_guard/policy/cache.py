"""The parsed policy on disk, so that a guarded process starts without a TOML parser.

Plain data in marshal's format behind a checksum, valid for exactly one policy text, format and interpreter. A file
that is missing, stale, damaged, or could have been written by somebody else is as good as none. Whoever owns the
file could crash us through marshal, so only files of our own user, or root's, are read.

Starts with every guarded process: builtins, ``os`` and ``_blake2`` only.
"""

from __future__ import annotations

import marshal
import os
import sys
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORMAT = 2  # to be raised with every change of the data's shape; a test holds it to that
MARSHAL = 4  # the same bytes on every supported version
MAGIC = b"ssot-guard policy\n"
CHECKSUM = 16
LARGEST = 64 * 2**20
VARIABLE = "SSOT_GUARD_CACHE"
FILE_TYPE, REGULAR = 0o170000, 0o100000  # as in `stat`, which a bare interpreter has not imported everywhere


def digest(content: bytes) -> str:
    """The identity of a policy's text: 32 hex digits."""
    return blake2b(content, digest_size=CHECKSUM).hexdigest()


def location(source: str, environ: Mapping[str, str]) -> str | None:
    """The cache file of a policy file (absolute); None where ``SSOT_GUARD_CACHE`` is set and empty: no cache."""
    folder = environ.get(VARIABLE)
    if folder == "":
        return None
    head, name = os.path.split(source)
    tag = sys.implementation.cache_tag
    if folder is None:
        return os.path.join(head, f".{name}.{tag}.ssot-cache")
    path = digest(source.encode("utf-8", "surrogatepass"))
    return os.path.join(folder, f"{name}.{path[:16]}.{tag}.ssot-cache")


def read(file: str | None, policy: str) -> dict[str, Any] | None:
    """The data that was kept for a policy of this digest, or None."""
    content = _content(file) if file is not None else None
    if content is None or not content.startswith(MAGIC):
        return None
    checksum = content[len(MAGIC) : len(MAGIC) + CHECKSUM]
    body = content[len(MAGIC) + CHECKSUM :]
    if blake2b(body, digest_size=CHECKSUM).digest() != checksum:
        return None
    try:
        identity, data = marshal.loads(body)  # noqa: S302 - checksum and owner were checked
    except (EOFError, TypeError, ValueError):
        return None
    return data if identity == _identity(policy) and type(data) is dict else None


def write(file: str | None, source: str, policy: str, data: dict[str, Any]) -> bool:
    """Keep the data for whoever may read ``source``; False where that is not possible, which is nobody's mistake.

    An image is built by root and run by somebody else: the policy that both can read is then warm for both.
    """
    if file is None:
        return False
    body = marshal.dumps((_identity(policy), data), MARSHAL)
    content = MAGIC + blake2b(body, digest_size=CHECKSUM).digest() + body
    # Random, not the process id: in containers that is always 1, and a crash would block it for ever.
    temporary = f"{file}.{os.urandom(6).hex()}.tmp"
    try:
        _create(temporary, content, 0o600 | os.stat(source).st_mode & 0o044)
        os.replace(temporary, file)
    except OSError:
        _remove(temporary)
        return False
    return True


def _identity(policy: str) -> tuple[int, str, str]:
    return (FORMAT, sys.version, policy)


def _content(file: str) -> bytes | None:
    flags = os.O_RDONLY
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # not everywhere
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(file, flags)
    except (OSError, ValueError):
        return None
    try:
        with open(descriptor, "rb") as stream:
            return stream.read() if _trusted(os.fstat(descriptor)) else None
    except OSError:
        return None


def _trusted(status: os.stat_result) -> bool:
    """A regular file that only our user or root can have written."""
    if status.st_mode & FILE_TYPE != REGULAR or status.st_size > LARGEST:
        return False
    if not hasattr(os, "geteuid"):  # Windows: st_uid and the write bits say nothing
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & 0o022


def _create(file: str, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(file, flags, 0o600)
    except FileNotFoundError:  # the first use of SSOT_GUARD_CACHE
        os.mkdir(os.path.dirname(file), 0o700)
        descriptor = os.open(file, flags, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)  # whatever the umask of the process is


def _remove(file: str) -> None:
    try:  # noqa: SIM105 - no contextlib on this path
        os.unlink(file)
    except OSError:
        pass
