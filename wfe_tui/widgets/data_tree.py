"""An entry's data as a tree; what it holds is literal."""

from collections.abc import Sequence
from typing import Any

import orjson
from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from engine.text import literal
from wfe_tui.widgets.cut import cut

LONGEST_VALUE = 2_000
"""Characters of a text that are shown; what is copied is whole."""

MOST_NODES = 2_000
"""Values that are shown of an entry: a megabyte of them would hold up the keys."""


class DataTree(Tree[None]):
    """Shows data; it stays as it was opened while the data is the same."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._title = title
        self.root.expand()
        self._shown: Any = object()

    def show(self, data: Any, later: Sequence[str] = ()) -> None:
        """Show this data; what stands in these fields may not have been so yet at the moment that is shown."""
        self.root.set_label(Text(f"{self._title}, of now: {literal(', '.join(later))}" if later else self._title))
        if data == self._shown:
            return
        self._shown = data
        self._left = MOST_NODES
        self.clear()
        self._fill(self.root, data)

    def _fill(self, node: TreeNode[None], data: Any) -> None:
        pairs = data.items() if isinstance(data, dict) else enumerate(data)
        for name, value in pairs:
            self._left -= 1
            if self._left < 0:
                node.add_leaf("… more: `wfe show`")
                return
            label = Text(literal(cut(str(name), 100)), "bold")
            if isinstance(value, dict | list) and value:
                self._fill(node.add(label.append(f" {len(value)}", "dim"), expand=len(value) <= 20), value)
            else:
                node.add_leaf(label.append("  ").append(_value(value), "not bold"))


def _value(value: Any) -> str:
    return literal(cut(value, LONGEST_VALUE)) if isinstance(value, str) else orjson.dumps(value).decode()
