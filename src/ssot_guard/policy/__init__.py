"""The policy: what must hold. Pure data in :mod:`.model`; reading and checking it loads only when needed."""
