"""Asks what is to be said of groups of errors: that they are resolved, that they are put off, or a note."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from engine import operations
from engine.exceptions import InputError
from engine.groups import ErrorGroup, parse_snooze
from engine.operations import ActionResult, line_of
from engine.text import counted, literal
from wfe_tui.surviving import Dialog
from wfe_tui.widgets.cut import cut

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp

NAMED = 3
"""How many groups are named; the others are counted."""


@dataclass(frozen=True)
class Saying:
    """What is to be said: `act` says it, given `store` and `clock`; `shell` is the line that does the same."""

    act: Callable[..., ActionResult]
    shell: str


class SayingScreen(Dialog[Saying | None]):
    """One verb on groups of errors, and what it needs to know.

    Args:
        groups: of which it is said.
    """

    verb: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", show=False)]

    def __init__(self, groups: Sequence[ErrorGroup]) -> None:
        super().__init__()
        self.groups = groups
        self.fingerprints = [group.fingerprint for group in groups]

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self.verb
            box.border_subtitle = "enter does it · esc closes"
            title = f"{self.verb.capitalize()}: {counted(len(self.groups), 'cause')}?"
            yield Static(Content.styled(title, "bold"), markup=False)
            yield Static(Content("\n").join(self._named()), markup=False)
            yield from self.inputs()
            yield Static(id="shell", markup=False)
            yield Static(id="said", markup=False)

    @abstractmethod
    def inputs(self) -> Iterator[Input]:
        """What is asked for, each input with an id."""

    @abstractmethod
    def act(self) -> Callable[..., ActionResult]:
        """What says it, given `store` and `clock`. Raises InputError where something is missing, or not understood."""

    @abstractmethod
    def shell(self) -> str:
        """The line that does the same, as far as it can be told yet."""

    def line(self, words: Sequence[str], named: Sequence[str], why: str = "") -> str:
        """A line of the shell for this store."""
        return line_of(words, named, cast("WfeApp", self.app).store.path, None, why or None)

    def value(self, name: str) -> str:
        """What stands in an input."""
        return self.query_one(f"#{name}", Input).value.strip()

    def on_mount(self) -> None:
        """Show the line that does the same."""
        self._show_shell()

    @on(Input.Changed)
    def _show_shell(self) -> None:
        line = literal(cut(self.shell(), 300))
        self.query_one("#shell", Static).update(Content.styled(f"$ {line}", "$text-accent"))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        try:
            saying = Saying(self.act(), self.shell())
        except InputError as error:
            self.query_one("#said", Static).update(literal(str(error)))
        else:
            self.dismiss(saying)

    def _named(self) -> list[Content]:
        lines = [
            Content.styled(f"{group.fingerprint}  {literal(cut(f'{group.type}: {group.message}', 300))}", "$text-muted")
            for group in self.groups[:NAMED]
        ]
        left = len(self.groups) - NAMED
        return [*lines, Content.styled(f"… and {left} more", "$text-muted")] if left > 0 else lines


class ResolveScreen(SayingScreen):
    """That their cause is gone, and why."""

    verb = "resolve"

    def inputs(self) -> Iterator[Input]:
        yield _why()

    def act(self) -> Callable[..., ActionResult]:
        return partial(operations.resolve, self.fingerprints, why=self.value("why") or None)

    def shell(self) -> str:
        return self.line([self.verb], self.fingerprints, self.value("why"))


class SnoozeScreen(SayingScreen):
    """Until when, or until how many more, they are put off, and why."""

    verb = "snooze"

    def inputs(self) -> Iterator[Input]:
        yield Input(placeholder="2h · 08:00 · 2026-12-24 08:00 · 10 more", compact=True, id="ends")
        yield _why()

    def act(self) -> Callable[..., ActionResult]:
        until, more = parse_snooze(self.value("ends"), cast("WfeApp", self.app).clock())
        return partial(operations.snooze, self.fingerprints, until=until, more=more, why=self.value("why") or None)

    def shell(self) -> str:
        text, options = self.value("ends"), ["…"]
        with suppress(InputError):
            _, more = parse_snooze(text, cast("WfeApp", self.app).clock())
            options = ["--for" if text.isalnum() else "--until", text] if more is None else ["--more", str(more)]
        return self.line([self.verb, *options], self.fingerprints, self.value("why"))


class NoteScreen(SayingScreen):
    """What is to be known of one of them."""

    verb = "note"

    def inputs(self) -> Iterator[Input]:
        yield Input(placeholder="what is to be known of it", compact=True, id="text")

    def act(self) -> Callable[..., ActionResult]:
        if not self.value("text"):
            raise InputError("there is nothing in the note: write a text")
        return partial(operations.note, self.fingerprints[0], self.value("text"))

    def shell(self) -> str:
        return self.line([self.verb], [self.fingerprints[0], self.value("text") or "…"])


def _why() -> Input:
    return Input(placeholder="why: a reason, for the record", compact=True, id="why")
