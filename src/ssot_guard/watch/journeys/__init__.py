"""How often critical paths succeed, and how long they take."""
