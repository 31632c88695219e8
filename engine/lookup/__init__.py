"""Reads a store for people and lists: what is there as rows, and what is not there in one sentence.

* `rows` — an entry as a list shows it
* `entries` — entries and errors by key, filter, or the beginning of an error id
* `history` — runs, errors, actions and verdicts as rows
* `acts` — what operators did to one entry; `logs` — what its executions have logged
* `following` — what is written, as it happens
* `typical` — what a task typically takes
* `outlook` — what the next run of a processor would do
"""
