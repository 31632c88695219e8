"""The console's own colours, dark and light, for eyes that do not tell red from green: blue is good, orange is bad.

The colours are those of Okabe and Ito, “Color Universal Design”, 2008.
"""

from textual.theme import Theme

DEFAULT = "textual-dark"

THEMES = (
    Theme(
        "wfe-dark",
        primary="#56B4E9",
        secondary="#CC79A7",
        accent="#F0E442",
        foreground="#E6E6E6",
        background="#101214",
        surface="#16191C",
        panel="#23282D",
        success="#56B4E9",
        warning="#E69F00",
        error="#D55E00",
        dark=True,
    ),
    Theme(
        "wfe-light",
        primary="#0072B2",
        secondary="#AA4499",
        accent="#7A5C00",
        foreground="#1B1E21",
        background="#FAFAF7",
        surface="#F2F2EE",
        panel="#E2E2DC",
        success="#0072B2",
        warning="#9A6A00",
        error="#B24A00",
        dark=False,
    ),
)
