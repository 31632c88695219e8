"""What the store's documents were at a moment that has passed.

Nothing is kept of the past. Registrations, executions, acts, verdicts, errors and runs bear their moments, so what was
so then follows from what is so now: what came after it is taken off, what was under way goes on again, and what
operators did since is taken back, by what the verdicts keep of before.

* `then` — the moment, and the runs that there were by then
* `entries` — how an entry stood
* `acts` — what operators had done by then, and what had become of it
* `runs` — how far a run was

These are pure. `looking_back` shows a store so: `derivation` does all that to a copy, in a `folder` that does not stay.
"""

from engine.past.acts import action_as_of, group_as_of, verdict_as_of
from engine.past.entries import entry_as_of
from engine.past.runs import run_as_of
from engine.past.then import Pass, Then

__all__ = ["Pass", "Then", "action_as_of", "entry_as_of", "group_as_of", "run_as_of", "verdict_as_of"]
