"""Two attempts at a task of an entry, or two entries: what differs between them.

* `comparison` — what differs, as plain data
* `pairing` — finds the two in the store, and all that it knows of them: the entrance, `compare`
* `parts` — how each ended, data, timings, circumstances: pure
* `tracebacks` — frames and the values in them: pure
* `layout` — a comparison in lines of so many cells, for shell and console; needs a terminal library
"""

from engine.comparing.comparison import Comparison, Kind
from engine.comparing.pairing import Asked, compare

__all__ = ["Asked", "Comparison", "Kind", "compare"]
