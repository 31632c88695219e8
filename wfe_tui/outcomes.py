"""What became of the acts that were done from this console: told once for each, when its last verdict is there, or when
a restart that tried a few entries first has stopped."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from engine.lookup.history import ActionRow, read_action
from engine.store import Changes
from engine.verdicts import Verdict, verdicts_of
from wfe_tui.loader import Loader

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp

REST = 0.3
"""Seconds between two looks at least."""


class Outcomes:
    """The acts whose verdicts are awaited here.

    Args:
        app: whose acts they are; it tells.
    """

    def __init__(self, app: "WfeApp") -> None:
        self._app = app
        self._awaited: set[int] = set()
        self._loader = Loader(app, self._look, self._tell, rest=REST)

    def wait_for(self, actions: Collection[int]) -> None:
        """Tell what becomes of these actions, given by their numbers."""
        self._awaited.update(actions)
        self._loader.load()

    def forget(self, action: int) -> None:
        """Tell nothing of this one: the operator has taken it back, or ended it."""
        self._awaited.discard(action)

    def store_changed(self, changes: Changes) -> None:
        """The store was written to."""
        if self._awaited and (changes.concern("verdicts") or changes.concern("actions")):
            self._loader.load()

    def _look(self) -> list[ActionRow]:
        """Those that have come to an end."""
        store = self._app.store
        found = store.actions.get(doc_ids=sorted(self._awaited))
        rows = [read_action(each, store.is_alive, verdicts_of(store, each.doc_id)) for each in found]
        return [row for row in rows if row.state == "stopped" or Verdict.WAITING not in row.verdicts]

    def _tell(self, over: list[ActionRow]) -> None:
        for action in over:
            if action.id not in self._awaited:
                continue
            self._awaited.discard(action.id)
            is_well = set(action.verdicts) == {Verdict.FIXED}
            is_stopped = action.state == "stopped"
            said = f"{action.verb}{' stopped' if is_stopped else ''}: {action.outcome}"
            there = f"4 shows action {action.id}{', R resumes, X abandons' if is_stopped else ''}"
            self._app.say(f"{said}\n{there}", severity="information" if is_well else "warning")
