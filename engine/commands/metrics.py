"""`wfe metrics`: what a store knows of its workflows, as Prometheus reads it (text format 0.0.4).

For a cron job that writes a file for node_exporter, or anything else that serves it.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from tinydb import where

from engine.clock import from_text, utc_now
from engine.commands.options import StoreOption, looked_at
from engine.lookup.entries import count_states
from engine.pausing import pauses
from engine.state import FAILURES, State
from engine.store import Store
from engine.verdicts import awaited_actions

Sample = tuple[Mapping[str, str], float]
"""Labels, and a value."""


def metrics(store: StoreOption = None) -> None:
    """Print what the store knows in the text format of Prometheus."""
    with looked_at(store) as opened:
        for line in exposition(opened, utc_now()):
            sys.stdout.write(f"{line}\n")


def exposition(store: Store, moment: datetime) -> Iterator[str]:
    """The lines of the text format, as things stand at `moment` (aware)."""
    processors = sorted(str(name) for name in store.entries.counts("processor"))
    newest = {name: run for name in processors if (run := _newest_run(store, name)) is not None}
    yield from _family("wfe_entries", "gauge", "Entries by state.", _entries(store, processors, moment))
    yield from _family("wfe_runs", "gauge", "Runs that the store remembers, by ending.", _runs(store))
    yield from _family("wfe_errors", "gauge", "Errors that the store remembers.", [({}, len(store.errors))])
    paused = {pause.processor for pause in pauses(store)}
    yield from _family(
        "wfe_paused", "gauge", "Whether a processor is paused.",
        [({"processor": name}, int(name in paused)) for name in processors],
    )  # fmt: skip
    actions = len(awaited_actions(store))
    yield from _family("wfe_actions_open", "gauge", "Actions that wait for something.", [({}, actions)])
    for name, about, of in _OF_THE_NEWEST:
        samples = [({"processor": p}, value) for p, run in newest.items() if (value := of(run)) is not None]
        yield from _family(f"wfe_run_{name}", "gauge", f"Of the newest run: {about}.", samples)
    alive = [({"processor": p}, int(not run["ended"] and store.is_alive(run["owner"]))) for p, run in newest.items()]
    yield from _family("wfe_run_alive", "gauge", "Of the newest run: whether it goes on.", alive)
    statistics = {p: run.get("statistics") or {} for p, run in newest.items()}
    counters = [
        ({"processor": p, "counter": path}, number)
        for p, tree in statistics.items()
        for path, number in _leaves({name: part for name, part in tree.items() if name != "time_statistics"})
    ]
    yield from _family("wfe_run_statistic", "gauge", "Of the newest ended run: its counters.", counters)
    for name, field in _TIMES:
        samples = [
            ({"processor": p, "timer": timer}, block[field])
            for p, tree in statistics.items()
            for timer, block in tree.get("time_statistics", {}).items()
            if block[field] is not None
        ]
        yield from _family(f"wfe_run_timer_{name}", "gauge", f"Of the newest ended run: {field}.", samples)


_OF_THE_NEWEST = (
    ("considered", "entries it is through with", lambda run: run["considered"]),
    ("in_progress", "entries it works on", lambda run: run.get("in_progress", 0)),
    ("failed", "entries left failed, interrupted or in doubt", lambda run: _failed(run["states"])),
    ("refused", "entries that could not be accepted", lambda run: run["refused"]),
    ("rate", "entries a second", lambda run: run.get("rate")),
    ("started_timestamp_seconds", "when it began", lambda run: from_text(run["started"]).timestamp()),
    (
        "ended_timestamp_seconds",
        "when it ended",
        lambda run: from_text(run["ended"]).timestamp() if run["ended"] else None,
    ),
)
_TIMES = (
    ("count", "measure_count"),
    ("seconds_sum", "overall_time"),
    ("seconds_min", "minimum_time"),
    ("seconds_max", "maximum_time"),
)


def _entries(store: Store, processors: list[str], moment: datetime) -> Iterator[Sample]:
    for name in processors:
        counts = count_states(store, moment, where("processor") == name)
        yield from (({"processor": name, "state": str(state)}, counts[state]) for state in State)


def _runs(store: Store) -> Iterator[Sample]:
    endings = Counter((run["processor"], str(run["ending"] or "none")) for run in store.runs)
    yield from (({"processor": name, "ending": ending}, n) for (name, ending), n in sorted(endings.items()))


def _newest_run(store: Store, processor: str) -> Mapping[str, Any] | None:
    numbers = store.runs.ids(where("processor") == processor, order_by="started", reverse=True, limit=1)
    found = store.runs.get(doc_ids=list(numbers))
    return found[0] if found else None


def _failed(states: Mapping[str, int]) -> int:
    return sum(number for state, number in states.items() if state in FAILURES)


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    for name, value in tree.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        else:
            yield here, value


def _family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
