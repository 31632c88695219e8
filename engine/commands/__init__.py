"""The commands of `wfe`, some of a kind in each module. `engine.cli` has the table of them, and imports a module when
one of its commands is called: so none imports what its commands can do without.

* `entries` (ls, show), `plan`, `runs`, `errors` (errors, error), `contrasting` (share, compare), `report`,
  `watch`: nothing is changed by them
* `running` — run and work
* `verbs` — what is done to entries, processors and runs; `doing` carries a verb to entries out
* `actions` — what operators did: list, show, await, resume, abandon, undo
* `triage` — errors by their cause: resolve, snooze, note
* `upkeep`, `metrics` — the store as a whole
* `config` — what is set, and where
* `selecting`, `options` — what they share: which entries are meant, which store
* `completing` — what a shell may complete, `completion` the scripts with which it does
* `printing` — all that is printed; `ending` — how a process ends in which a thread hangs
"""
