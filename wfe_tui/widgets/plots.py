"""Small pictures of numbers."""

from collections.abc import Sequence

BARS = " ▁▂▃▄▅▆▇█"


def spark(numbers: Sequence[float]) -> str:
    """A bar for each number, the greatest as high as a line; what is not nothing is seen."""
    most = max(numbers, default=0)
    if not most:
        return " " * len(numbers)
    return "".join(BARS[max(1, round(number / most * 8))] if number else " " for number in numbers)
