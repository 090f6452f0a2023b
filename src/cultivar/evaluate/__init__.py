"""Measuring models and data: scores with intervals, ratings, suites."""
