"""Text and files into Documents."""
