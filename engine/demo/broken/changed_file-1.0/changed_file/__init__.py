"""A greeting, in greeting.txt."""
