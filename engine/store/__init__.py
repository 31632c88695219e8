"""The store: entries, errors, runs and actions in one file that many processes share, behind TinyDB's own API.

Where to look: `store` is the front door; `location` says which file; `owners` says which processes live. Beneath,
`database` and `table` are TinyDB's classes made to touch only the documents that an operation names, `conditions` lets
an index answer a TinyDB query, and `storage` keeps the documents in SQLite with the help of `schema` and `turns`.
"""

from engine.store.location import store_path
from engine.store.storage import Changes
from engine.store.store import Store

__all__ = ["Changes", "Store", "store_path"]
