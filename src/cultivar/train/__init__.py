"""Training: from the rows of a run to a model that plays a role in the next generation."""
