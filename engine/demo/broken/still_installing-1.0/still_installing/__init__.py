"""Complete but for the word of its installer."""
