"""What `wfe` prints: lines and tables for people, one JSON object a line for programs.

A command imports what it prints, and no more. `words` are said on standard error; all else goes to standard output,
through `tables`, which alone knows how a terminal is drawn on, and makes text from outside literal;
`states` have their colours.

* `entries`, `errors`, `actions`, `events`, `sharing`, `comparing` — what is looked at
* `acts` — what an act has done to entries, or would do; `plans` — what happens by itself
* `runs`, `progress`, `log` — what a run did, and how far it is
* `upkeep`, `settings` — the store as a whole, and what is set
"""

from engine.commands.printing.words import note, refusal, wrong_filter

__all__ = ["note", "refusal", "wrong_filter"]
