"""Worlds that an agent acts in through text."""
