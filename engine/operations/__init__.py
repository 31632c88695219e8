"""The operator's verbs. The console and the shell call these and nothing else; each act is recorded in the store.

* `verbs` — what each verb does to one entry, or why not: pure
* `deciding` — what a verb makes of one entry as it stands, or why not: pure
* `previewing` — shows beforehand what a verb would do to many entries; `acting` does it
* `entries` — the verbs on entries by their names
* `processors` — pause and resume, of a processor as a whole
* `groups` — resolve, snooze and note, of groups of errors
* `runs` — stop and drain, of a run that goes on
* `undoing` — takes an act back, as far as no engine has come to it
* `trying` — resume and abandon, of a restart that tries a few entries first
* `basis` — what an act was decided on: an entry that has changed since is refused
* `recording` — how an act is written down, and who did it; `paging` — many entries, page by page
* `shell` — the `wfe` line that does the same

A verb on entries takes a frozen set of keys, answers for each of them, and writes one action for each processor
concerned: one ineligible entry never costs the others. On a store that is opened read only, nothing is done.
"""

from engine.operations.acting import ActionResult, act
from engine.operations.basis import Basis, Stamp
from engine.operations.entries import Given, cancel, decide, hold, release, restart, set_repeat, skip, toggle_repeat
from engine.operations.groups import note, resolve, snooze
from engine.operations.previewing import Fate, Preview, Previewed, preview
from engine.operations.processors import pause, resume
from engine.operations.runs import drain, stop
from engine.operations.shell import has_many_processors, line_of, shell_line
from engine.operations.trying import abandon_canary, resume_canary, to_abandon, to_resume
from engine.operations.undoing import to_undo, undo
from engine.operations.verbs import (
    Cancel,
    Decide,
    Decision,
    Hold,
    Refusal,
    Release,
    Restart,
    SetRepeat,
    Skip,
    Verb,
)
from engine.pausing import Pause
from engine.worker.canary import Canary

__all__ = [
    "ActionResult",
    "Basis",
    "Canary",
    "Cancel",
    "Decide",
    "Decision",
    "Fate",
    "Given",
    "Hold",
    "Pause",
    "Preview",
    "Previewed",
    "Refusal",
    "Release",
    "Restart",
    "SetRepeat",
    "Skip",
    "Stamp",
    "Verb",
    "abandon_canary",
    "act",
    "cancel",
    "decide",
    "drain",
    "has_many_processors",
    "hold",
    "line_of",
    "note",
    "pause",
    "preview",
    "release",
    "resolve",
    "restart",
    "resume",
    "resume_canary",
    "set_repeat",
    "shell_line",
    "skip",
    "snooze",
    "stop",
    "to_abandon",
    "to_resume",
    "to_undo",
    "toggle_repeat",
    "undo",
]
