"""Errors by their cause: the groups that a fingerprint names (see `engine.errors.fingerprint`), how each stands, and
what restarts have led to.

* `states` — new, ongoing, resolved, snoozed, regressed: pure
* `seen` — when groups were seen, and which entries stand failed by them
* `words` — what operators, or a restart, have said of groups
* `advice` — what restarts have led to
* `causes` — the groups of a store, as a list shows them
* `dealt` — whether all failures are dealt with
"""

from engine.groups.advice import Advice, advice
from engine.groups.causes import (
    BARS,
    Cause,
    ErrorGroup,
    error_group,
    error_groups,
    matching_groups,
    most_frequent,
    urgency,
)
from engine.groups.dealt import Dealt, dealt_with
from engine.groups.seen import failed_by, groups_of
from engine.groups.states import Closed, GroupState, Note, Snoozed, Word, group_state, parse_snooze
from engine.groups.words import mark_fixed, state_of, words_of, write_word

__all__ = [
    "BARS",
    "Advice",
    "Cause",
    "Closed",
    "Dealt",
    "ErrorGroup",
    "GroupState",
    "Note",
    "Snoozed",
    "Word",
    "advice",
    "dealt_with",
    "error_group",
    "error_groups",
    "failed_by",
    "group_state",
    "groups_of",
    "mark_fixed",
    "matching_groups",
    "most_frequent",
    "parse_snooze",
    "state_of",
    "urgency",
    "words_of",
    "write_word",
]
