"""Plans: satisficing, optimal, by an external program."""
