"""Examples to read, to run and to copy; each needs one command, and `wfe-tui --store FILE` shows it.

The map:

* `audit`: are the Python distributions of this machine as they were installed? `wfe run engine.demo.audit:Audit`, or
  `wfe-tui --demo`. Its tasks read files. `installed` finds what is installed, `record` reads the list of files that
  each installation keeps of itself, `samples` unpacks the small broken distributions in `broken/`, so that a sound
  machine shows failures, too.
* `migration`: the rows of a CSV file become customers of an HTTP service, once each: coroutines, timeouts, backoff,
  idempotence. `service` is that service, with its troubles, `customers.csv` the file.
* `on_dask`: the migration once more, on a Dask cluster.
"""
