"""What a tenant is compared by, and what it is called outside of this process.

A tenant is whatever the application uses: text, a number, a UUID. Records carry a keyed hash of it: the same tenant has
the same one in all processes that share ``SSOT_GUARD_HASH_KEY``, and without the key nobody can try names. Where the
variable is not set the key is random, and a pseudonym means something within one process only.
"""

from __future__ import annotations

import os
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 64  # bytes of a BLAKE2b key
_DIGEST = 6
_BY_IDENTITY: Any = object.__eq__
_key: bytes | None = None


def identity(tenant: Any) -> str | None:
    """The text that tells two tenants apart; None where nothing can be compared.

    ``7``, ``"7"`` and a UUID with its text are one tenant: sources keep the same id in different shapes. Objects that
    are equal only to themselves (a user loaded twice, a mock) say nothing, except for members of an enumeration.
    """
    kind = type(tenant)
    if kind is str:
        return tenant or None
    if tenant is None or kind is bool:
        return None
    if issubclass(kind, str):  # past every override: the text itself
        return str.__str__(tenant) or None
    if issubclass(kind, int):
        return int.__repr__(tenant)
    if issubclass(kind, bytes):
        return bytes.decode(tenant, "utf-8", "backslashreplace") or None
    return _compared(tenant, kind)


def _compared(tenant: Any, kind: type) -> str | None:
    if kind.__module__ == "unittest.mock":
        return None
    if hasattr(kind, "__members__") and hasattr(tenant, "_value_"):
        return f"{kind.__qualname__}.{tenant.name}"
    compares: Any = kind.__eq__
    hashes: Any = kind.__hash__
    if compares is _BY_IDENTITY or hashes is None:
        return None
    return str(tenant) or None


def pseudonym(tenant: Any) -> str | None:
    """Twelve hex digits for a tenant; None where there is nothing to compare it by."""
    text = identity(tenant)
    if text is None:
        return None
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST, key=_secret()).hexdigest()


def _secret() -> bytes:
    global _key  # noqa: PLW0603 - one per process
    if _key is None:
        given = os.environ.get("SSOT_GUARD_HASH_KEY", "").encode("utf-8", "surrogateescape")
        if len(given) > _LONGEST:
            given = blake2b(given).digest()
        _key = given or os.urandom(32)
    return _key
