"""What can be done in a state, what comes of it, and why something cannot be done."""
