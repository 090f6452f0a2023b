"""The nouns and seams that everything else stands on."""
