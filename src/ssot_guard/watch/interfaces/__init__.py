"""Whether the classes of a role have what its interface asks for."""
