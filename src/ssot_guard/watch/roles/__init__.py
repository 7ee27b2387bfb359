"""Who plays a role, how many there are, who built them, and whose they are."""
