"""Rows in, rows and reasons out: duplicates, leaks of benchmarks, filters, selection."""
