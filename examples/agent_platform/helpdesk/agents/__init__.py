"""What each agent can do. `factory` builds them."""
