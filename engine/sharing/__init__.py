"""What do the failing ones share? Which traits failing entries have more often than others of their workflow.

* `contrast` — reads some of both sides from the store: the entrance, `what_they_share`
* `traits` — the traits of an entry, and how often each occurs on both sides: pure
* `proportions` — what a difference of two proportions tells, however few there are: pure
"""

from engine.sharing.contrast import ALL_FAILING, FAILED, Shared, what_they_share
from engine.sharing.traits import Trait

__all__ = ["ALL_FAILING", "FAILED", "Shared", "Trait", "what_they_share"]
