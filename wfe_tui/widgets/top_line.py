"""The first line of every screen: where one is, whether all failures are dealt with, in which store, and what is not as
usual; below it, what is wrong."""

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from engine.groups import Dealt
from engine.text import counted, literal, short_path
from wfe_tui.feed import Pulse
from wfe_tui.routes import LISTS, Route

GAPS = 7
"""Cells between the parts of the line."""

LEAST_PATH = 20
"""Cells that the path has at least; half of the line, if that is more."""

PADDING = 2
"""Cells beside the store's file."""

LEAST_STORE = 10
"""Cells that the store's file has at least: where one is, and what fails, is more than that."""


class DealtWith(Static):
    """Whether all failures are dealt with; a click leads to the errors."""

    def __init__(self) -> None:
        super().__init__(id="dealt", markup=False)

    def show(self, dealt: Dealt | None, room: int) -> None:
        """Say it in so many cells; nothing while it is not known, or where there is no room for it."""
        words = dealt.words(room) if dealt else ""
        colour = "$text-success" if dealt is None or dealt.is_all else "bold $text-error"
        self.update(Content.styled(words if cell_len(words) <= room else "", colour))

    async def on_click(self) -> None:
        """Go to the errors."""
        await self.app.run_action("go_to('errors')")


class TopLine(Horizontal):
    """`wfe` and the screen's path on the left; on the right what is still to come, whether all failures are dealt with,
    who else is here, badges, and the store's file."""

    def __init__(self, route: Route, store: Path, *, badges: tuple[str, ...] = (), pulse: Pulse | None = None) -> None:
        super().__init__()
        self._route = route
        self._pulse = pulse or Pulse()
        self._store = store
        self._badges = badges

    def compose(self) -> ComposeResult:
        yield Static(_where(self._route), id="where", markup=False)
        yield Static(id="standing", markup=False)
        yield Static(_areas(self._route), id="areas", markup=False)
        yield DealtWith()
        yield Static(id="consoles", markup=False)
        yield Static(self._right, id="store", markup=False)

    def show(self, route: Route) -> None:
        """The screen has another path now."""
        self._route = route
        self.query_one("#where", Static).update(_where(route), layout=False)
        self.show_pulse(self._pulse)

    def show_pulse(self, pulse: Pulse) -> None:
        """How the engine is has changed, or who else is here."""
        self._pulse = pulse
        consoles = _others(pulse.consoles)
        parts = [consoles, *([_areas(self._route)] if self.query_one("#areas", Static).display else [])]
        path = min(_where(self._route).cell_length, max(LEAST_PATH, self.size.width // 2))  # a longer one is cut
        room = self.size.width - path - sum(part.cell_length for part in parts) - GAPS
        least = cell_len(pulse.dealt.words(0)) if pulse.dealt else 0
        share = max(min(LEAST_STORE, room), min(self.size.width // 3, room - least))
        store = max(0, min(self._right.cell_length, share))
        standing = _standing(pulse, room - store - least)
        self.query_one("#standing", Static).update(standing)
        self.query_one("#consoles", Static).update(consoles)
        self.query_one("#store").display = store > 0
        self.query_one("#store").styles.max_width = store + PADDING
        self.query_one(DealtWith).show(pulse.dealt, room - store - standing.cell_length)

    def on_resize(self) -> None:
        """There is room for more words, or for fewer."""
        self.show_pulse(self._pulse)

    @property
    def _right(self) -> Content:
        marks = [(f" {badge} ", "bold $text-warning on $warning-muted") for badge in self._badges]
        spaced = [part for mark in marks for part in (mark, " ")]
        return Content.assemble(*spaced, short_path(self._store))


def _others(consoles: Sequence[str]) -> Content:
    said = consoles[0] if len(consoles) == 1 else f"{len(consoles)} consoles"
    return Content.styled(f"also {literal(said)} ", "$text-accent") if consoles else Content("")


def _where(route: Route) -> Content:
    return Content.assemble((" wfe ", "bold reverse"), f" {literal(str(route))}")


def _standing(pulse: Pulse, room: int) -> Content:
    """What operators have asked for and is still to come, in so many cells or in the fewest; nothing if nothing is."""
    if not pulse.open_actions:
        return Content("")
    wait = "entry waits" if pulse.awaited == 1 else "entries wait"
    forms = (
        f"◷ {counted(pulse.open_actions, 'action')} open, {pulse.awaited} {wait}",
        f"◷ {pulse.open_actions} open, {pulse.awaited} wait",
        f"◷ {pulse.open_actions} open",
    )
    return Content.styled(next((form for form in forms if len(form) <= room), forms[-1]), "$text-warning")


def _areas(route: Route) -> Content:
    """The lists there are, each with its key; the one that this place belongs to stands out."""
    parts = [
        (f" {number} {area.capitalize()} ", "bold reverse" if area == route.area else "$text-muted")
        for number, area in enumerate(LISTS, 1)
    ]
    return Content.assemble(*parts)


class Banner(Static):
    """What is wrong with what is seen: the store cannot be read, or a run gives no sign of life. Nothing otherwise."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.display = False

    def show(self, text: str | None) -> None:
        """Show this, or nothing."""
        self.display = bool(text)
        if text:
            self.update(Content.assemble(("NO SIGNAL ", "bold"), literal(text)))
