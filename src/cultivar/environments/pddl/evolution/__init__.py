"""Tasks made out of tasks, where the measured curve is empty."""
