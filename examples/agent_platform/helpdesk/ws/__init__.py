"""Events, and the socket that carries them."""
