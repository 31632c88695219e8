"""A greeting, in data.txt."""
