"""A text file replaced in one step: a reader sees the old one or the new one, and its mode stays."""

from __future__ import annotations

import os


def replace(path: str, content: bytes) -> bool:
    """Whether there was anything to write. OSError where it is not possible; the old file is whole then."""
    target = os.path.realpath(path)  # a link stays a link
    mode = None
    try:
        with open(target, "rb") as stream:
            if stream.read() == content:
                return False
            mode = os.fstat(stream.fileno()).st_mode & 0o7777
    except FileNotFoundError:
        pass
    temporary = f"{target}.{os.urandom(6).hex()}.tmp"
    try:
        with open(temporary, "xb") as stream:
            stream.write(content)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return True
