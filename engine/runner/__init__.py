"""A run: carries plans out, records what becomes of them, and stops when it is asked to.

* `run` — a processor's entries, each considered once
* `flight` — one entry on its way through the tasks
* `crew` — many flights at once on one of the `engine.executors`
* `performing` — executes one task on one entry, wherever that is; `outcome` is what it says of it
* `limits`, `stopping` — what holds executions back
* `events` — every change of state, told to the log, the hooks and `telemetry`; `capture` keeps what tasks log
"""

import logging

logging.getLogger("engine").addHandler(logging.NullHandler())
