"""The store: entries, errors, runs and actions in one file that many processes share, behind TinyDB's own API.

Where to look: `store` is the front door; `location` says which file; `owners` says which processes live. Beneath,
`database` and `table` are TinyDB's classes made to touch only the documents that an operation names, read through
`rows`; `conditions` and `values` let an index answer a TinyDB query; `storage` keeps the documents in SQLite, laid out
by `schema`, with the help of `connections`, `turns`, `durability`, `changes`, and, before the first use, of `opening`,
`filesystems` and `migration`. A `tally` counts documents, so that nobody else has to; `logs` is what tasks have logged.

Many processes: `claims` say who works on an entry, `locks` that he lives, `recording` what his tasks have begun and
ended since he last wrote, and `recovery` what of that stays when he has died.

As a whole: `retention` forgets, `check` finds what is damaged, `transfer` copies, to and from the JSON of TinyDB as
well, which `stock` reads.
"""

from engine.store.changes import Changes, Place, Write, Writes
from engine.store.claims import Claims, Released, TakenOver
from engine.store.durability import Durability
from engine.store.location import may_write, store_path
from engine.store.store import Store
from engine.store.table import DocumentTable

__all__ = [
    "Changes",
    "Claims",
    "DocumentTable",
    "Durability",
    "Place",
    "Released",
    "Store",
    "TakenOver",
    "Write",
    "Writes",
    "may_write",
    "store_path",
]
