"""One script for each figure that the README quotes. ``python -m benchmarks`` lists them."""
