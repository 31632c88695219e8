"""Asks before an act on many entries, or one that cannot be undone: what it would do to each, and to how many."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input, Static

from engine.exceptions import EngineError
from engine.groups import Cause, most_frequent
from engine.operations import Basis, Fate, Preview, Previewed, Verb, line_of, preview
from engine.text import counted, literal
from engine.worker.canary import Canary
from wfe_tui.surviving import Dialog
from wfe_tui.widgets.cut import LONGEST_KEY, cut

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp

SHOWN = 300
"""Of so many entries it is shown what would be done to their tasks; all are counted."""

FATES = {
    Fate.KEPT: ("✓", "$text-success"),
    Fate.AGAIN: ("↻", "bold $text-warning"),
    Fate.FIRST: ("○", "$text-primary"),
    Fate.TAKEN_AS_DONE: ("⊘", "bold $text-warning"),
    Fate.LATER: ("·", "$text-muted"),
}


@dataclass(frozen=True)
class Confirmed:
    """Yes, and why.

    `basis` is what it was decided on, by processor: entries that have changed since are refused. `canary` is how it is
    tried first, if it is.
    """

    why: str | None = None
    basis: Mapping[str, Basis] = field(default_factory=dict)
    canary: Canary | None = None


class ConfirmScreen(Dialog[Confirmed | None]):
    """A question, what follows from a yes, and room for a reason. A yes that comes before that is known waits for it.

    Args:
        verb: what would be done.
        groups: to which entries: their keys and ids, by processor.
        scope: in words which these are.
        protected: the name that has to be typed, if the store is protected and the act cannot be undone.
        names_processor: the shell's line has to name the processor, since several have entries.
    """

    AUTO_FOCUS = "#found"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "yes", "Yes", show=False),
        Binding("n,escape,q", "dismiss(None)", "No", show=False),
        Binding("w", "why", "Why", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("c", "copy", "Copy", show=False),
    ]

    def __init__(
        self,
        verb: Verb | str,
        groups: Mapping[str, Mapping[str, int]],
        scope: str,
        protected: str | None,
        *,
        names_processor: bool = False,
    ) -> None:
        super().__init__()
        self._verb = verb
        self._groups = groups
        self._scope = scope
        self._question = ""
        self._names_processor = names_processor
        is_final = isinstance(verb, str) or not verb.can_be_undone
        self._protected = protected if is_final else None
        self._called = verb if isinstance(verb, str) else verb.name
        self.count = sum(map(len, groups.values()))
        """How many entries."""
        self._basis: dict[str, Basis] = {}
        self._is_looking = False
        self._answer: Confirmed | None = None

    @classmethod
    def of_processor(cls, name: str, processor: str, question: str, protected: str | None) -> "ConfirmScreen":
        """The question whether something is to be done to a processor, or to a run, as a whole."""
        screen = cls(name, {}, processor, protected)
        screen._question = question
        return screen

    @property
    def question(self) -> str:
        """What is asked."""
        return self._question or f"{self._called.capitalize()}: {counted(self.count, 'entry', 'entries')}?"

    @property
    def hint(self) -> str:
        """The keys, in a line."""
        return "y yes · n no · w why · c copy the shell line"

    def choices(self) -> Iterator[Widget]:
        """What else there is to decide."""
        yield from ()

    def words(self) -> Sequence[str]:
        """What is typed behind `wfe` for it."""
        return self._called.split() if isinstance(self._verb, str) else self._verb.words

    def answered(self) -> Confirmed | None:
        """A yes as it stands there; None if it cannot be understood yet, which is said."""
        return Confirmed(self.why)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._called
            box.border_subtitle = self.hint
            yield Static(Content.styled(self.question, "bold"), markup=False)
            yield Static(Content.styled(literal(cut(self._scope, LONGEST_KEY)), "$text-muted"), markup=False)
            yield from self.choices()
            yield Static(id="totals", markup=False)
            with VerticalScroll(id="found"):
                yield Static(id="named", markup=False)
            yield Static(id="shell", markup=False)
            yield Input(placeholder="why (w): a reason, for the record", compact=True, id="why")
            if self._protected is not None:
                yield Static(f"This store is protected: type its name, {literal(self._protected)}", markup=False)
                yield Input(compact=True, id="name")

    def on_mount(self) -> None:
        """Find out what would be done."""
        self.query_one("#found").display = bool(self._groups)
        self.query_one("#totals").display = bool(self._groups)
        self._show_shell()
        if self._groups:
            self._look()

    @property
    def wfe(self) -> "WfeApp":
        """The app, by its own type."""
        return cast("WfeApp", self.app)

    def _shell(self, most: int | None = None) -> str:
        """The line that does the same; of more than `most` keys, the first ones."""
        words = self.words()
        if not self._groups:
            return line_of(words, [self._scope], self.wfe.store.path, None, self.why)
        processor, keys = next(iter(self._groups.items()))
        named = processor if self._names_processor else None
        line = line_of(words, list(keys)[:most], self.wfe.store.path, named, self.why)
        left = self.count - len(list(keys)[:most])
        return f"{line} … and {left} more" if left else line

    @property
    def why(self) -> str | None:
        """The reason that was given; None if there is none."""
        return self.query_one("#why", Input).value.strip() or None

    @work
    async def _look(self) -> None:
        self._is_looking = True
        totals = self.query_one("#totals", Static)
        totals.update("looking what it would do …")

        def progress(done: int, of: int) -> None:
            if of > SHOWN:
                waits = "yes; " if self._answer else ""
                self.app.call_from_thread(totals.update, f"{waits}looking what it would do: {done} of {of} …")

        def look() -> tuple[dict[str, Preview], list[Cause]]:
            assert isinstance(self._verb, Verb)
            store, clock = self.wfe.store, self.wfe.clock
            seen = {
                processor: preview(
                    self._verb, keys, store=store, processor=processor, clock=clock, shown=SHOWN, progress=progress
                )
                for processor, keys in self._groups.items()
            }
            return seen, most_frequent(store, sum((part.causes for part in seen.values()), Counter()))

        try:
            seen, causes = await asyncio.to_thread(look)
        except EngineError as error:
            totals.update(literal(str(error)))
            self._answer = None
            return
        finally:
            self._is_looking = False
        self._basis = {processor: part.basis for processor, part in seen.items()}
        if self._answer is not None:
            self._say_yes(self._answer)
            return
        with suppress(NoMatches):  # it was answered meanwhile, and is just being taken down
            self._show_seen(list(seen.values()), causes)

    def _show_seen(self, seen: Sequence[Preview], causes: Sequence[Cause]) -> None:
        self.query_one("#totals", Static).update(Content("\n").join([_totals(seen), *map(_advice, causes)]))
        entries = [each for part in seen for each in part.entries][:SHOWN]
        left = self.count - len(entries)
        lines = [_line(each) for each in entries]
        if left:
            lines.append(Content.styled(f"… and {left} more", "$text-muted"))
        self.query_one("#named", Static).update(Content("\n").join(lines))

    # --- keys

    def action_yes(self) -> None:
        """Do it, if a protected store's name was typed."""
        if self._protected is not None and self.query_one("#name", Input).value.strip() != self._protected:
            self.query_one("#name", Input).focus()
            return
        self._answer = self.answered()
        if self._answer is None:
            return
        if self._basis or not self._groups:
            self._say_yes(self._answer)
        elif not self._is_looking:
            self._look()  # it could not be looked at before

    def _say_yes(self, answer: Confirmed) -> None:
        self.dismiss(replace(answer, basis=self._basis))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_yes()

    @on(Input.Changed)
    def _changed(self) -> None:
        self.changed()

    def changed(self) -> None:
        """Something else is typed: the shell's line has it."""
        self._show_shell()

    def _show_shell(self) -> None:
        line = literal(cut(self._shell(2), 300))
        self.query_one("#shell", Static).update(Content.styled(f"$ {line}", "$text-accent"))

    def action_why(self) -> None:
        """Give a reason."""
        self.query_one("#why", Input).focus()

    def action_scroll(self, by: int) -> None:
        """Look at other entries."""
        self.query_one("#found").scroll_relative(y=by, animate=False)

    def action_copy(self) -> None:
        """Copy the line that does the same."""
        self.wfe.copy(self._shell(), "the shell line")


def _totals(seen: Sequence[Preview]) -> Content:
    accepted, refused = sum(part.accepted for part in seen), sum(part.refused for part in seen)
    fates: Counter[Fate] = sum((part.totals for part in seen), Counter())
    reasons: Counter[str] = sum((part.reasons for part in seen), Counter())
    parts = [Content.assemble((f"{accepted}", "bold"), " would be done", "" if accepted else ": nothing happens")]
    parts += [Content.styled(f"{FATES[fate][0]} {fates[fate]} {fate}", FATES[fate][1]) for fate in Fate if fates[fate]]
    lines = [Content(" · ").join(parts)]
    if refused:
        why = "; ".join(f"{number}× {literal(cut(reason, 100))}" for reason, number in reasons.most_common(3))
        lines.append(Content.assemble((f"✗ {refused} refused: ", "bold $text-error"), why))
    plans = ", ".join(part.basis.fingerprint for part in seen)
    lines.append(Content.styled(f"plan {plans}: what changes before you say yes is refused", "$text-muted"))
    return Content("\n").join(lines)


def _advice(cause: Cause) -> Content:
    colour = "$text-warning" if cause.advice.is_warning else "$text-muted"
    return Content.styled(literal(cause.words()), colour)


def _line(each: Previewed) -> Content:
    key = Content.styled(literal(cut(each.key, LONGEST_KEY)), "bold")
    if each.refused is not None:
        return key + Content.styled(f"  ✗ refused: {literal(each.refused)}", "$text-error")
    parts = [key]
    for task, fate, why in each.tasks:
        glyph, colour = FATES[fate]
        last = f" ({literal(cut(why, 120))})" if why and fate in (Fate.AGAIN, Fate.TAKEN_AS_DONE) else ""
        parts.append(Content.assemble((f"  {glyph} {literal(task)} ", colour), f"{fate}{last}"))
    return Content("").join(parts)
