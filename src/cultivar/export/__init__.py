"""Rows, cards and reports."""
