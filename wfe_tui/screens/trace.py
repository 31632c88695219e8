"""The stack trace of one error id: frames to open, to search in, to copy, and to go to in an editor."""

import asyncio
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import SuspendNotSupported
from textual.binding import BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import Input, Static
from tinydb import where
from tinydb.table import Document

from engine.clock import local_time
from engine.comparing import Asked
from engine.exceptions import EngineError
from engine.lookup.entries import find_entry
from engine.store import Changes
from engine.text import literal
from wfe_tui.actions import bindings
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.compare import words
from wfe_tui.widgets.cut import LONGEST_KEY, cut
from wfe_tui.widgets.trace import TraceView, frame_text, markdown_report


class TraceScreen(StoreScreen):
    """What is kept of an unexpected exception; see `engine.errors.error_record`.

    Args:
        record: of the table `errors`.
    """

    AUTO_FOCUS = "#trace"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("trace")]
    keys = "trace"

    trace = query_one(TraceView)

    def __init__(self, record: Document) -> None:
        super().__init__(Route("errors", record["error_id"]))
        self._record = record

    def body(self) -> Iterator[Widget]:
        record = self._record
        at = local_time(datetime.fromisoformat(record["time"]))
        attempt = f"attempt {record['attempt']}" if record.get("attempt") else ""
        where_ = "  ".join(cut(literal(part), LONGEST_KEY) for part in (record["key"], record["task"], attempt) if part)
        said = f"  {at}  {literal(record['host'])} pid {record['pid']}  {record['fingerprint']}"
        yield Static(Content.assemble((where_, "bold"), (said, "$text-muted")), id="place", markup=False)
        yield TraceView(record)
        yield Input(placeholder="search in the trace", compact=True, id="search")

    def on_mount(self) -> None:
        """Nothing is searched for yet."""
        self.query_one("#search").display = False

    def store_changed(self, changes: Changes) -> None:
        """What was raised once does not change."""

    def time_passed(self) -> None:
        """What was raised once does not change."""

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        return action.about([self._record["fingerprint"]]) if is_seen else ""

    # --- in the trace

    def action_toggle_frame(self) -> None:
        """Open or fold the frame."""
        self.trace.toggle_frame()

    def action_toggle_libraries(self) -> None:
        """Open or fold the frames of libraries."""
        self.trace.toggle_libraries()

    def action_next_frame(self) -> None:
        """Go to the next frame."""
        self.trace.move(1)

    def action_previous_frame(self) -> None:
        """Go to the frame before."""
        self.trace.move(-1)

    def action_search(self) -> None:
        """Search."""
        self.query_one("#search").display = True
        self.query_one("#search").focus()

    @on(Input.Submitted, "#search")
    def _search(self, message: Input.Submitted) -> None:
        found = self.trace.search(message.value)
        if message.value and not found:
            self.wfe.say(f"{message.value!r} is not in this trace", severity="warning")
        self.query_one("#search").display = bool(message.value)
        self.trace.focus()

    def action_next_found(self) -> None:
        """Go to the next place that was found."""
        self.trace.next_found()

    # --- to elsewhere

    def action_edit(self) -> None:
        """Open the line of the frame in the user's editor."""
        frame = self.trace.frame
        if frame is None:
            self.wfe.say("there is no frame to open", severity="warning")
            return
        if not Path(frame["file"]).is_file():
            self.wfe.say(f"{frame['file']} is not on this machine", severity="warning")
            return
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        command = [*editor, f"+{frame['line']}", frame["file"]]
        try:
            with self.app.suspend():
                code = subprocess.run(command, check=False).returncode
        except SuspendNotSupported:
            self.wfe.say(f"no editor can be opened here: {shlex.join(command)}", severity="warning")
        except OSError as error:
            self.wfe.say(f"{editor[0]} cannot be started ({error.strerror}): set $EDITOR", severity="error")
        else:
            if code:
                self.wfe.say(f"{editor[0]} ended with exit code {code}", severity="warning")

    def action_copy(self) -> None:
        """Copy the trace as Python prints it, with its error id."""
        self.wfe.copy(f"error {self._record['error_id']}\n{self._record['text']}", "the stack trace")

    def action_copy_frame(self) -> None:
        """Copy the frame at the cursor."""
        if self.trace.frame is not None:
            self.wfe.copy(frame_text(self.trace.frame), "the frame")

    def action_copy_id(self) -> None:
        """Copy the error id."""
        self.wfe.copy(self._record["error_id"], "the error id")

    def action_copy_report(self) -> None:
        """Copy a report in Markdown."""
        self.wfe.copy(markdown_report(self._record), "a report in Markdown")

    def action_compare(self) -> None:
        """Go to what differs between this attempt and the one before it, or an entry that went well."""
        record = self._record
        if record["key"] is None or record["task"] is None or record.get("attempt") is None:
            self.wfe.say("it happened to no entry, or outside its tasks", severity="warning")
            return
        asked = words(Asked(record["task"], (record["attempt"],)))
        self.wfe.go(Route("compare", record["key"], asked, record["processor"]))

    def action_show_entry(self) -> None:
        """Go to the entry that it happened to."""
        if self._record["key"]:
            self.wfe.go(Route("entries", self._record["key"], processor=self._record["processor"]))
        else:
            self.wfe.say("it happened to no entry", severity="warning")

    def action_next_occurrence(self) -> None:
        """Go to the next occurrence of this error."""
        self._go_to_occurrence(1)

    def action_previous_occurrence(self) -> None:
        """Go to the occurrence before."""
        self._go_to_occurrence(-1)

    def action_newer_attempt(self) -> None:
        """Go to what the attempt after this one ended with."""
        self._go_to_attempt(1)

    def action_older_attempt(self) -> None:
        """Go to what the attempt before this one ended with."""
        self._go_to_attempt(-1)

    @work(exclusive=True, group="go")
    async def _go_to_occurrence(self, step: int) -> None:
        record, errors = self._record, self.store.errors

        def find() -> str | None:
            own = where("fingerprint") == record["fingerprint"]
            ids = list(errors.ids(own, order_by="time"))
            at = ids.index(record.doc_id) + step if record.doc_id in ids else -1
            found = errors.get(doc_ids=[ids[at]]) if 0 <= at < len(ids) else []
            return found[0]["error_id"] if found else None

        await self._go_to(find, "there is no occurrence after this one" if step > 0 else "there is none before")

    @work(exclusive=True, group="go")
    async def _go_to_attempt(self, step: int) -> None:
        record = self._record

        def find() -> str | None:
            if record["key"] is None:
                return None
            entry = find_entry(self.store, record["key"], record["processor"])
            errors = [each["error_id"] for each in _attempts(entry, record["task"]) if each.get("error_id")]
            at = errors.index(record["error_id"]) + step if record["error_id"] in errors else -1
            return errors[at] if 0 <= at < len(errors) else None

        await self._go_to(find, "no attempt after it ended with an error" if step > 0 else "no attempt before it did")

    async def _go_to(self, find: Any, otherwise: str) -> None:
        try:
            error_id = await asyncio.to_thread(find)
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
            return
        if error_id is None:
            self.wfe.say(otherwise, severity="warning")
        else:
            self.wfe.go(Route("errors", error_id))


def _attempts(entry: Mapping[str, Any], task: str | None) -> list[Mapping[str, Any]]:
    return [each for each in entry["executions"] or [] if each["name"] == task]
