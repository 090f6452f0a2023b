"""Where a recipe runs."""
