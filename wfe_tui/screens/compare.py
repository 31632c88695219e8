"""Two attempts of an entry, or the entry and one that went well, side by side: what differs between them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.getters import query_one
from textual.widget import Widget

from engine.comparing import Asked, Comparison, Kind, compare, layout
from engine.comparing.layout import Line, Look
from engine.exceptions import EngineError, InputError
from engine.store import Changes, Store
from engine.text import literal
from wfe_tui.actions import bindings
from wfe_tui.loader import Loader
from wfe_tui.routes import Route
from wfe_tui.screens.base import StoreScreen
from wfe_tui.widgets.comparison import ComparisonLines, markdown

_WORDS = re.compile(
    r"(?:task:(?P<task>.+?)(?: (?=attempts:|with:|sibling$)|$))?"
    r"(?:attempts:(?P<attempts>[0-9]{1,9}(?:,[0-9]{1,9})?)|with:(?P<other>.+)|(?P<sibling>sibling))?",
    re.DOTALL,
)


def words(asked: Asked) -> str:
    """Which two are compared, as a path says it behind its `?`: `task:Check attempts:1,3`, `sibling`, `with:KEY`."""
    parts = [f"task:{asked.task}"] if asked.task is not None else []
    parts += [f"attempts:{','.join(map(str, asked.attempts))}"] if asked.attempts else []
    parts += ["sibling"] if asked.sibling else []
    parts += [f"with:{asked.other}"] if asked.other is not None else []
    return " ".join(parts)


def parse_words(text: str) -> Asked:
    """What `words` has written.

    Raises:
        InputError: it says nothing of the kind.
    """
    found = _WORDS.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} names no two to compare: write task:TASK attempts:1,3, or sibling, or with:KEY")
    numbers = tuple(map(int, found["attempts"].split(","))) if found["attempts"] else ()
    return Asked(found["task"], numbers, found["sibling"] is not None, found["other"])


def look(store: Store, route: Route, moment: datetime) -> tuple[Route, Comparison]:
    """What a path of this area names, and the comparison that it stands for at a moment (aware).

    Raises:
        InputError: it names no entry, or there are no two to compare.
    """
    if not route.name:
        raise InputError("name the entry that is to be compared: compare/KEY")
    found = compare(store, route.name, parse_words(route.filter), processor=route.processor, moment=moment)
    return replace(route, processor=found.processor), found


class CompareScreen(StoreScreen):
    """What differs between two, as the store has them now.

    Args:
        route: its path.
        found: what that names.
    """

    AUTO_FOCUS = "#compared"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("compare")]
    keys = "compare"

    compared = query_one("#compared", VerticalScroll)
    head = query_one("#compare-head", ComparisonLines)
    parts = query_one("#compare-body", ComparisonLines)

    def __init__(self, route: Route, found: Comparison) -> None:
        super().__init__(route)
        self._found: Comparison | None = found
        self._everything = False

    def body(self) -> Iterator[Widget]:
        self._loader = Loader(self, self._read, self._take, refused=self._refuse, rest=0.5)
        yield ComparisonLines("compare-head")
        with VerticalScroll(id="compared"):
            yield ComparisonLines("compare-body")

    def on_mount(self) -> None:
        """Show it."""
        self._show()

    def open(self, route: Route) -> None:
        processor = route.processor or self.route.processor
        self._ask(replace(route, processor=processor))

    def store_changed(self, changes: Changes) -> None:
        if changes.concern("entries") or changes.concern("errors"):
            self._loader.load()

    def time_passed(self) -> None:
        """What has happened does not change."""

    # --- what is compared

    def _ask(self, route: Route) -> None:
        self.renamed(route)
        self._loader.load(now=True)

    def _read(self) -> tuple[Route, Comparison]:
        return look(self.store, self.route, self.wfe.clock())

    def _take(self, answer: tuple[Route, Comparison]) -> None:
        route, found = answer
        if str(route) == str(self.route) and found != self._found:
            self._found = found
            self._show()

    def _refuse(self, error: EngineError) -> None:
        self._found = None
        said: list[Line] = [[(literal(str(error)), Look.MUTED)]]
        self.head.show(lambda width: said)
        self.parts.show(lambda width: ())

    def _show(self) -> None:
        found, everything = self._found, self._everything
        if found is not None:
            self.head.show(lambda width: layout.head(found, width))
            self.parts.show(lambda width: layout.body(found, width, everything=everything))

    def action_toggle_sibling(self) -> None:
        """Compare with the last good sibling, or two attempts again."""
        found = self._found
        if found is None:
            return
        self.compared.scroll_home(animate=False)
        if found.kind is Kind.ATTEMPTS:
            self._compare(Asked(found.task, sibling=True))
        elif len(found.attempts) > 1:
            self._compare(Asked(found.task))
        else:
            self.wfe.say(f"{found.key} has no two attempts at {found.task}", severity="warning")

    def action_move_left(self, step: int) -> None:
        """On the left the attempt before, or after."""
        self._move(0, step)

    def action_move_right(self, step: int) -> None:
        """On the right the attempt before, or after."""
        self._move(1, step)

    def _move(self, side: int, step: int) -> None:
        found = self._found
        if found is None:
            return
        if found.kind is not Kind.ATTEMPTS:
            self.wfe.say("two entries are compared: s compares attempts", severity="warning")
            return
        numbers = list(found.numbers)
        others = [number for number in found.attempts if number is not None and number != numbers[1 - side]]
        ahead = [number for number in others if (number - (numbers[side] or 0)) * step > 0]
        if not ahead:
            self.wfe.say(f"there is no other attempt {'after' if step > 0 else 'before'}", severity="warning")
            return
        numbers[side] = min(ahead) if step > 0 else max(ahead)
        self._compare(Asked(found.task, tuple(number for number in numbers if number is not None)))

    def _compare(self, asked: Asked) -> None:
        self._ask(replace(self.route, filter=words(asked)))

    # --- how it is shown

    def action_toggle_everything(self) -> None:
        """Show all, or what differs alone."""
        self._everything = not self._everything
        self._show()

    def action_copy(self) -> None:
        """Copy what is shown, as Markdown."""
        if self._found is not None:
            self.wfe.copy(markdown(self._found, everything=self._everything), "the comparison, as Markdown")

    def action_line_down(self) -> None:
        """Scroll down."""
        self.compared.scroll_relative(y=1, animate=False)

    def action_line_up(self) -> None:
        """Scroll up."""
        self.compared.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """Scroll a page down."""
        self.compared.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll a page up."""
        self.compared.scroll_page_up(animate=False)

    def action_first(self) -> None:
        """Scroll to the beginning."""
        self.compared.scroll_home(animate=False)

    def action_last(self) -> None:
        """Scroll to the end."""
        self.compared.scroll_end(animate=False)
