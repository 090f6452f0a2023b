"""Facts, actions and goals in sentences, and sentences read back."""
