"""Its window does not open."""
