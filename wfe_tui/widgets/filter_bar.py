"""Where the filter is typed."""

from textual.widgets import Input

from engine.text import literal


class FilterBar(Input):
    """A line of words; see `wfe_tui.window.compile_filter`."""

    def __init__(self) -> None:
        super().__init__(placeholder="words, or state:failed task:Ship error:5b2c", compact=True)

    def validate_value(self, value: str) -> str:
        """What is pasted may hold what commands the terminal: it becomes what the list shows of it."""
        return literal(value)
