"""Synthesised environments as packages of the libraries that train and evaluate in environments."""
