"""Text that may be of any length, where it must not push all else off the screen."""

LONGEST_KEY = 200
"""Characters of a key where it stands above other things; a key may have ten thousand."""


def cut(text: str, longest: int) -> str:
    """The beginning of a text, with an ellipsis if that is not all of it."""
    return text if len(text) <= longest else text[:longest] + "…"
