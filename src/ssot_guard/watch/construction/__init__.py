"""How the objects of roles come about."""
