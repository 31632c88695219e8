"""What a run writes down: claims, starts, results, errors, and its own progress.

* `base` — what a run asks of a journal; without a store it is kept nowhere
* `stored` — the journal of a processor with a `Store`
* `intake` — takes entries up into the store, and claims them; `held` is one that is claimed
* `heeding` — what operators want of the run
* `run_document` — how far the run is, and what its `figures` tell: `durations` of each task, the `pace` of the results
"""
