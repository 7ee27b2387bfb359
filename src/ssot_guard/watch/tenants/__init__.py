"""Whose object it is, and on whose behalf it is used."""
