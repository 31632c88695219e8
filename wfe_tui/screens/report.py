"""What has happened since the operator last looked: shown when the console is opened again, and when it is asked."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Spacing
from textual.message import Message
from textual.visual import Padding
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.clock import age, local_minute, parse_past
from engine.exceptions import EngineError
from engine.operations.recording import signature
from engine.report.figures import figures
from engine.report.markdown import markdown
from engine.report.page import page
from engine.report.since import SPAN, Report, report
from engine.report.words import NOTHING, Name, Place, Told, headline, sections, shortened
from engine.store import Changes
from wfe_tui.actions import bindings
from wfe_tui.exporting import new_file
from wfe_tui.loader import Loader
from wfe_tui.routes import Route
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.export import ExportScreen, file_name

MOVES = ("cursor_down", "cursor_up", "page_down", "page_up", "first", "last", "choose")
HINT = "enter leads on to the entries · ↓ chooses a line, which enter then opens"


class Lines(OptionList, inherit_bindings=False):
    """The lines of the report below the titles of its sections; at first none is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [each for each in bindings("table") if each.action in MOVES]

    class Passed(Message):
        """Enter was pressed, and no line is chosen."""

    def action_choose(self) -> None:
        """Open the line, or go on."""
        if self.highlighted is None:
            self.post_message(self.Passed())
        else:
            self.action_select()

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Show the title above the first line, too."""
        super().scroll_to_highlight(top)
        if self.highlighted is not None and all(option.disabled for option in self.options[: self.highlighted]):
            self.scroll_home(animate=False)


class ReportScreen(StoreScreen):
    """The report; the filter of its path is from when on, if it is not since the operator last looked."""

    AUTO_FOCUS = "Lines"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("report")]
    keys = "report"

    def body(self) -> Iterator[Widget]:
        self._loader = Loader(self, self._read, self._show, refused=self._refuse, rest=2.0)
        self._places: dict[str, Place] = {}
        self._report: Report | None = None
        yield Static(id="summary", markup=False)
        yield Lines(markup=False, compact=True)
        yield Static(HINT, id="hint", markup=False)

    def on_mount(self) -> None:
        """Show the report."""
        self._loader.load()

    def open(self, route: Route) -> None:
        self.renamed(route)
        self._loader.load(now=True)

    def store_changed(self, changes: Changes) -> None:
        self._loader.load()

    def time_passed(self) -> None:
        """It is of the moment at which it was asked for."""

    def _read(self) -> Report:
        moment = self.wfe.clock()
        return report(self.store, self._since(moment), moment, signature())

    def _since(self, moment: datetime) -> datetime:
        """From when on is told what had happened until a moment, which may be one that has passed."""
        if self.route.filter:
            return parse_past(self.route.filter, moment)
        before = self.wfe.looking.look.before
        return before if before is not None and before < moment else moment - SPAN

    def _refuse(self, error: EngineError) -> None:
        self.wfe.say(str(error), severity="error")

    def _show(self, found: Report) -> None:
        self._report = found
        since = f"since {local_minute(found.since, found.moment)}, {age(found.since, found.moment)} ago"
        self.query_one("#summary", Static).update(Content.assemble((since, "bold"), f"  {headline(found)}"))
        lines = self.query_one(Lines)
        chosen = lines.highlighted_option.id if lines.highlighted_option else None
        self._places = {}
        options = list(self._options(found))
        lines.clear_options()
        lines.add_options(options or [Option(NOTHING, disabled=True)])
        if chosen in self._places:
            lines.highlighted = lines.get_option_index(chosen)

    def _options(self, found: Report) -> Iterator[Option]:
        for section in sections(found):
            yield Option(Content.styled(f"\n{shortened(section.title)}", "bold $text-primary"), disabled=True)
            for line in section.lines:
                name = f"{section.title.partition('(')[0]} {line.place}"
                if line.place is not None:
                    self._places[name] = line.place
                yield Option(_indented(*map(_styled, line.parts)), name, disabled=line.place is None)
            if section.left:
                yield Option(_indented(_styled(f"… and {section.left} more")), disabled=True)

    @on(Lines.OptionSelected)
    def _open(self, message: Lines.OptionSelected) -> None:
        place = self._places[message.option_id or ""]
        self.wfe.go(Route(place.area, place.name, processor=place.processor))

    @on(Lines.Passed)
    async def _leave(self) -> None:
        await self.wfe.action_up()

    def action_write(self) -> None:
        """Write it into a file."""
        found = self._report
        if found is None:
            return

        def write(path: Path, progress: Callable[[str], object]) -> str:
            as_written = page if path.suffix == ".html" else markdown
            text = as_written(found, figures(self.store, found))
            with new_file(path) as file:
                file.write(text)
            return "the report"

        name = file_name("report", "md", found.moment)
        question = "Into which file? Markdown; a page, if its name ends with .html"
        self.app.push_screen(ExportScreen("Write the report", question, name, write))

    async def action_copy(self) -> None:
        """Copy it as Markdown."""
        found, store = self._report, self.store
        if found is not None:
            text = await asyncio.to_thread(lambda: markdown(found, figures(store, found)))
            self.wfe.copy(text, "the report as Markdown")


def _indented(*parts: Content) -> Padding:
    """A line, or several: all of them stand below the title."""
    return Padding(Content.assemble(*parts), Spacing(left=2))


def _styled(part: str) -> Content:
    part = shortened(part)
    if isinstance(part, Name):
        return Content.styled(part, "bold")
    return Content(part) if isinstance(part, Told) else Content.styled(part, "$text-muted")
