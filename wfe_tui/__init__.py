"""The console: `wfe-tui`. It shows what a store says and lets an operator act on it; it never runs a user's code.

The map.

* Opened by: `__main__` (the command, and the factory of the app), `config` (what the user has set), `memory` (how lists
  were shown), `looking` (when somebody last looked), `serve` (in a browser), `demo`, `check` (of a processor's name).
* The app: `app` (over which store, at which time), `visiting` (which places are open), `routes` (a screen is a path),
  `actions` (what keys do: one table) and the `palette`, `screens` and `widgets`; `surviving` and `reporting` (its own
  failures), `themes`, `drawing` (with ASCII alone), `clipboard`.
* What is shown: `window` (the visible rows of a table of the store; no Textual) over `sources`, `listing` (rows that
  are all in memory), `loader` (a question to the store, in a thread), `feed` (its changes as messages), `exporting`.
* Who acts: `engines` (the processes started from here, each a `child`), `outcomes` (what became of the acts done from
  here), `others` (what somebody else has done meanwhile).

All questions to the store are asked in threads; answers bear what they were asked for.
"""
