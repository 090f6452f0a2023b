"""A checked problem to facts, operators and axioms on bits."""
