"""cultivar: verified training data for language-model agents and assistants, grown out of raw text."""

__version__ = "0.1.0"
