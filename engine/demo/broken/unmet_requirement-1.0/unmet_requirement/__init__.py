"""Requires what nobody has."""
