"""How much one user may have at a time."""

SOCKETS_PER_USER = None  # unlimited, until the rooms are known

from helpdesk.ws import rooms  # noqa: E402

SOCKETS_PER_USER = rooms.CAPACITY // 16
