"""Who does what operators asked for.

* `actions` — takes the open actions of a processor and runs their entries
* `staying` — a worker that stays: does what is asked for and what becomes due
* `canary` — a restart that tries a few entries first: when it goes on, and when it stops; pure. `trying` carries it out
"""
