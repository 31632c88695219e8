"""The commands of `wfe`. Each module has some of a kind; `engine.cli` has those that look, and puts them all together.

* `running` — run and work
* `verbs` — what is done to entries, processors and runs; `doing` carries a verb to entries out
* `actions` — what operators did: list, show, await, resume, abandon, undo
* `triage` — errors by their cause: list, resolve, snooze, note
* `upkeep`, `metrics` — the store as a whole
* `selecting`, `options` — what they share: which entries are meant, which store
* `printing` — all that is printed
"""
