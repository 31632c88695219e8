"""What a run writes down: claims, starts, results, errors, and its own progress.

* `base` — what a run asks of a journal; without a store it is kept nowhere
* `stored` — the journal of a processor with a `Store`
* `figures` — what a run's document tells of its executions: `durations` of each task, and the `pace` of the results
"""
