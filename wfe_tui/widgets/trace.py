"""A stack trace: the user's own frames open with their source, those of libraries folded, a cursor on one of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.highlight import highlight
from textual.message import Message
from textual.widgets import Static

from engine.text import literal, short_path
from wfe_tui.widgets.cut import cut

LONGEST_MESSAGE = 2_000
"""Characters of an exception's message: the frames below it are to be seen, too. What is copied is whole."""

RELATIONS = {
    "cause": "which was caused by",
    "context": "which happened while handling",
    "group": "one of the group",
}

Frame = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A piece of a trace: what is said of an exception, or one of its frames."""

    head: Content | None = None
    frame: Frame | None = None
    depth: int = 0
    """How deep the exception stands in groups."""


def parts(record: Mapping[str, Any]) -> Iterator[Part]:
    """The pieces of an error record, the newest exception first."""
    yield from _exception(record, "", 0)


def _exception(described: Mapping[str, Any], relation: str, depth: int) -> Iterator[Part]:
    said = [Content.styled(RELATIONS[relation], "italic $text-muted"), Content("")] if relation else []
    said.append(
        Content.assemble(
            (literal(described["type"]), "bold $text-error"),
            ": ",
            literal(cut(described["message"], LONGEST_MESSAGE), lines=True),
        )
    )
    said += [Content(literal(cut(note, LONGEST_MESSAGE), lines=True)) for note in described["notes"]]
    yield Part(head=Content("\n").join(said), depth=depth)
    yield from (Part(frame=frame, depth=depth) for frame in described["frames"])
    for inner in described.get("exceptions") or ():
        yield from _exception(inner, "group", depth + 1)
    if omitted := described.get("omitted"):
        yield Part(head=Content.styled(f"… and {omitted} more exceptions", "$text-muted"), depth=depth + 1)
    for cause in described.get("causes") or ():
        yield from _exception(cause, cause["relation"], depth)


class PartView(Static):
    """One piece, open or folded."""

    DEFAULT_CSS = """
    PartView { padding: 0 1; }
    PartView.-head { margin-top: 1; }
    PartView.-at { background: $boost; }
    """

    def __init__(self, part: Part) -> None:
        super().__init__(markup=False)
        self.part = part
        self.is_open = part.frame is not None and bool(part.frame["own"])
        self.found = ""
        self.set_class(part.frame is None, "-head")
        self.styles.margin = (1 if part.frame is None or self.is_open else 0, 0, 0, 2 * part.depth)

    def on_mount(self) -> None:
        """Show it."""
        self.show()

    def show(self) -> None:
        """Show it as it is now."""
        content = self.content_now()
        if self.found:
            plain, wanted = content.plain.casefold(), self.found.casefold()
            at = plain.find(wanted)
            while at >= 0:
                content = content.stylize("reverse", at, at + len(wanted))
                at = plain.find(wanted, at + len(wanted))
        self.update(content)

    def content_now(self) -> Content:
        """What it says, open or folded."""
        if self.part.frame is None:
            return self.part.head or Content("")
        return frame_content(self.part.frame) if self.is_open else folded_content(self.part.frame)

    def toggle(self, is_open: bool | None = None) -> None:
        """Open or fold it."""
        if self.part.frame is not None:
            self.is_open = not self.is_open if is_open is None else is_open
            self.show()

    def on_click(self) -> None:
        """Go to it; a second click opens or folds it."""
        self.post_message(TraceView.Clicked(self))


class TraceView(VerticalScroll):
    """The pieces of a trace, with a cursor on one of its frames."""

    @dataclass
    class Clicked(Message):
        """A piece was clicked."""

        part: PartView

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__(id="trace")
        self._record = record
        self._at: PartView | None = None
        self._libraries = False

    def compose(self) -> ComposeResult:
        yield from map(PartView, parts(self._record))

    def on_mount(self) -> None:
        """The cursor begins on the user's own frame that raised, the deepest one."""
        frames = self.frames
        own = [frame for frame in frames if frame.part.frame and frame.part.frame["own"]]
        first = own or frames
        if first:
            top = self._first_exception(first)
            self._go(top[-1], scroll=False)

    def _first_exception(self, frames: list[PartView]) -> list[PartView]:
        """Those of these frames that belong to the newest exception, if it has any."""
        every = list(self.query(PartView))
        heads = [index for index, part in enumerate(every) if part.part.frame is None]
        end = heads[1] if len(heads) > 1 else len(every)
        return [frame for frame in frames if every.index(frame) < end] or frames

    @property
    def frames(self) -> list[PartView]:
        """The frames, from the first to the last."""
        return [part for part in self.query(PartView) if part.part.frame is not None]

    @property
    def frame(self) -> Frame | None:
        """The frame at the cursor."""
        return self._at.part.frame if self._at else None

    def move(self, by: int) -> None:
        """Go to the next frame, or the one before."""
        frames = self.frames
        if frames and self._at is not None:
            self._go(frames[max(0, min(len(frames) - 1, frames.index(self._at) + by))])
        else:
            self.scroll_relative(y=by, animate=False)

    def toggle_frame(self) -> None:
        """Open or fold the frame at the cursor."""
        if self._at is not None:
            self._at.toggle()

    def toggle_libraries(self) -> None:
        """Open or fold the frames of libraries."""
        self._libraries = not self._libraries
        for view in self.frames:
            if view.part.frame and not view.part.frame["own"]:
                view.toggle(self._libraries)

    def search(self, text: str) -> int:
        """Mark a text wherever it stands, and go to the first; how many pieces have it."""
        for view in self.query(PartView):
            if view.found or text:
                view.found = text
                if (
                    text
                    and view.part.frame is not None
                    and text.casefold() in frame_content(view.part.frame).plain.casefold()
                ):
                    view.is_open = True
                view.show()
        found = self._found()
        if found:
            self._go(found[0])
        return len(found)

    def next_found(self) -> None:
        """Go to the next piece that has what was searched."""
        found, every = self._found(), list(self.query(PartView))
        if found:
            here = every.index(self._at) if self._at else -1
            self._go(next((view for view in found if every.index(view) > here), found[0]))

    def _found(self) -> list[PartView]:
        return [v for v in self.query(PartView) if v.found and v.found.casefold() in v.content_now().plain.casefold()]

    def on_trace_view_clicked(self, message: Clicked) -> None:
        """Go to a piece, or open it."""
        message.stop()
        if message.part is self._at:
            message.part.toggle()
        elif message.part.part.frame is not None:
            self._go(message.part)

    def _go(self, view: PartView, *, scroll: bool = True) -> None:
        if self._at is not None:
            self._at.remove_class("-at")
        self._at = view
        view.add_class("-at")
        if scroll:
            view.scroll_visible(animate=False)


def frame_content(frame: Frame) -> Content:
    """A frame with its source lines, and the values of its locals where they were kept."""
    colour = "bold $text-primary" if frame["own"] else "$text-muted"
    lines = [
        Content.assemble(
            (short_path(frame["file"]), colour),
            (f":{frame['line']}", "$text-warning"),
            " in ",
            (literal(frame["function"]), "bold"),
            ("" if frame["own"] else "  library", "$text-muted"),
        )
    ]
    source = literal("\n".join(frame["source"]), lines=True)
    width = len(str(frame["first"] + len(frame["source"])))
    for number, line in enumerate(highlight(source, language="python").split("\n"), frame["first"]):
        raising = number == frame["line"]
        sign = f"❱ {number:>{width}} " if raising else f"  {number:>{width}} "
        mark = Content.styled(sign, "bold $text-error") if raising else Content(sign)
        lines.append(mark + Content.styled("│ ", "$text-muted") + (line.stylize("bold") if raising else line))
    for name, value in (frame.get("locals") or {}).items():
        lines.append(Content.assemble(("    ", ""), (literal(name), "$text-accent"), " = ", literal(str(value))))
    return Content("\n").join(lines)


def folded_content(frame: Frame) -> Content:
    """A frame in one line."""
    place = f"{short_path(frame['file'])}:{frame['line']} in {literal(frame['function'])}"
    return Content.styled(f"▸ {place}", "$text-muted")


def frame_text(frame: Frame) -> str:
    """A frame as Python prints it, with its source lines."""
    source = "\n".join(
        f"{'>' if number == frame['line'] else ' '} {number}  {line}"
        for number, line in enumerate(frame["source"], frame["first"])
    )
    return f'File "{frame["file"]}", line {frame["line"]}, in {frame["function"]}\n{source}'


def markdown_report(record: Mapping[str, Any]) -> str:
    """What is known of an error, to be pasted into an issue."""
    known = {
        "error id": record["error_id"],
        "fingerprint": record["fingerprint"],
        "entry": record["key"],
        "task": record["task"],
        "attempt": record.get("attempt"),
        "processor": record["processor"],
        "when": record["time"],
        "where": f"{record['host']}, pid {record['pid']}",
    }
    lines = [f"- {name}: `{_code(str(value))}`" for name, value in known.items() if value is not None]
    fence = "```"
    while fence in record["text"]:
        fence += "`"
    title = f"### {record['type']}: {record['message'].splitlines()[0] if record['message'] else ''}"
    return "\n".join([title, "", *lines, "", f"{fence}python-traceback", record["text"].rstrip(), fence, ""])


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").split())
