"""Each change of state is one event: log, hooks and spans tell the same story, and none of them breaks it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tinydb import where

from engine import (
    RepeatAfterTime,
    Status,
    StatusException,
    Store,
    StoredProcessor,
    StoreError,
    Task,
    WorkflowModel,
    current_attempt,
)
from engine.operations import hold, pause, stop
from engine.testing import CrashPoint, ManualClock, crash, memory_store

Event = tuple[Any, ...]


class Order(WorkflowModel):
    key: str


class Check(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> Status | None:
        return self.processor.check(entry)  # type: ignore[attr-defined,no-any-return]


class Orders(StoredProcessor):
    """What Check does to an entry is the test's to say."""

    model = Order
    keys: tuple[str, ...] = ("A-1",)
    check: Callable[[Any], Any] = staticmethod(lambda entry: None)

    def get_default_entries(self) -> list[Any]:
        return [{"key": key} for key in self.keys]

    def get_tasks(self) -> list[Task]:
        return [Check(self)]


class Told(Orders):
    """Notes what its hooks are told."""

    def __init__(self, store: Store, **given: Any) -> None:
        super().__init__(store, **given)
        self.told: list[Event] = []

    def on_run_start(self, run: Any) -> None:
        self.told.append(("run begins", run.number))

    def on_run_finish(self, run: Any) -> None:
        self.told.append(("run", run.number, str(run.ending)))

    def on_entry_start(self, entry: Any) -> None:
        self.told.append(("taken up", entry.key))

    def on_entry_finish(self, entry: Any, state: Any) -> None:
        self.told.append(("entry", entry.key, str(state)))

    def on_refusal(self, sentence: str) -> None:
        self.told.append(("refused", sentence))

    def on_task_start(self, entry: Any, execution: Any) -> None:
        self.told.append(("task begins", entry.key, execution.name, execution.run_count))

    def on_task_finish(self, entry: Any, execution: Any) -> None:
        end = "processed" if execution.processed else "failed" if execution.error_id else "interrupted"
        error_id = str(execution.error_id) if execution.error_id else None
        self.told.append(("task", entry.key, execution.name, execution.run_count, end, error_id))

    def on_error(self, error_record: dict[str, Any]) -> None:
        self.told.append(("error", error_record["key"], error_record["task"], error_record["error_id"]))


def logged(caplog: pytest.LogCaptureFixture) -> list[Event]:
    """What the log says, read from the fields of its records and the beginning of their texts."""
    story: list[Event] = []
    for record in caplog.records:
        text, at = record.getMessage(), vars(record)
        match text.split()[0], at.get("task"):
            case "run", _:
                run = at["run"]
                story.append(("run begins", run) if "begins" in text else ("run", run, text.split()[2].strip(":")))
            case "entry", _:
                key = at["entry"]
                state = text.rpartition(" is left ")[2]
                story.append(("taken up", key) if "taken up" in text else ("entry", key, state))
            case "task", task if "begins" in text:
                story.append(("task begins", at["entry"], task, at["attempt"]))
            case "task", task:
                end = text.split("' ")[-1].split()[0].strip(":")
                story.append(("task", at["entry"], task, at["attempt"], end, at["error_id"]))
            case "Failed", task:
                story.append(("error", at["entry"], task, at["error_id"]))
            case "refused:", _:
                story.append(("refused", text.partition(" ")[2]))
    return story


def spanned(spans: Any) -> list[Event]:
    """What the spans say, in the order in which they ended: what begins is told with its end."""
    story: list[Event] = []
    for span in spans.get_finished_spans():
        of = span.attributes
        for event in span.events:
            error = ("error", of.get("wfe.key"), of.get("wfe.task"), of.get("wfe.error_id"))
            story.append(error if event.name == "exception" else ("refused", event.attributes["wfe.reason"]))
        match span.name.split()[0]:
            case "run":
                story.append(("run", of["wfe.run"], of["wfe.ending"]))
            case "entry":
                story.append(("entry", of["wfe.key"], of["wfe.state"]))
            case "task":
                end, error_id = of["wfe.end"], of.get("wfe.error_id")
                story.append(("task", of["wfe.key"], of["wfe.task"], of["wfe.attempt"], end, error_id))
    return story


def ends(story: list[Event]) -> list[Event]:
    """Without what begins, which a span tells with its end."""
    return [event for event in story if event[0] not in ("run begins", "taken up", "task begins")]


@pytest.fixture
def store() -> Iterator[Store]:
    with memory_store() as opened:
        yield opened


@pytest.fixture
def made(store: Store, caplog: pytest.LogCaptureFixture) -> Told:
    caplog.set_level(logging.DEBUG, logger="engine")
    return Told(store, clock=ManualClock())


HOW = pytest.mark.parametrize("how", [{}, {"workers": 1}], ids=["inline", "threads"])


@HOW
def test_log_hooks_and_spans_tell_one_story(
    made: Told, caplog: pytest.LogCaptureFixture, spans: Any, how: dict[str, Any]
) -> None:
    def check(entry: Any) -> Status | None:
        if entry.key == "again" and current_attempt().number == 1:
            raise StatusException(Status(message="the carrier is busy", repeat=RepeatAfterTime(hours=1)))
        if entry.key == "fails":
            raise ValueError("no customer")
        if entry.key == "interrupted":
            raise StatusException(Status(message="customs are closed"))
        if entry.key == "stops":
            made.stopping.ask()
        return None

    made.keys, made.check = ("again",), check
    made.process_entries(**how)
    made.clock.turn(hours=1)  # type: ignore[attr-defined]
    for story in (made.told, spans):
        story.clear()
    caplog.clear()

    made.keys = ("again", "fails", "interrupted", "stops", "never")
    result = made.process_entries(**how)

    assert result.ending == "stopped"
    error_id = next(event[3] for event in made.told if event[0] == "error")
    assert error_id
    stories = by_entry(made.told)
    stories.pop("never", None)  # a worker may have had it in one batch with the one that stops
    assert stories == {
        None: [("run begins", 2), ("run", 2, "stopped")],
        "again": [
            ("taken up", "again"), ("task begins", "again", "Check", 2),
            ("task", "again", "Check", 2, "processed", None), ("entry", "again", "finished"),
        ],
        "fails": [
            ("taken up", "fails"), ("task begins", "fails", "Check", 1), ("error", "fails", "Check", error_id),
            ("task", "fails", "Check", 1, "failed", error_id), ("entry", "fails", "failed"),
        ],
        "interrupted": [
            ("taken up", "interrupted"), ("task begins", "interrupted", "Check", 1),
            ("task", "interrupted", "Check", 1, "interrupted", None), ("entry", "interrupted", "interrupted"),
        ],
        "stops": [
            ("taken up", "stops"), ("task begins", "stops", "Check", 1),
            ("task", "stops", "Check", 1, "processed", None), ("entry", "stops", "finished"),
        ],
    }  # fmt: skip
    assert (made.told[0], made.told[-1]) == (("run begins", 2), ("run", 2, "stopped"))
    assert logged(caplog) == made.told
    assert spanned(spans) == ends(made.told)
    assert not caplog.text.count("raised"), "no hook raised"


def by_entry(story: list[Event]) -> dict[Any, list[Event]]:
    found: dict[Any, list[Event]] = {}
    for event in story:
        found.setdefault(None if event[0].startswith("run") else event[1], []).append(event)
    return found


@HOW
def test_what_an_exception_outside_the_tasks_costs_is_told_by_all(
    store: Store, caplog: pytest.LogCaptureFixture, spans: Any, how: dict[str, Any]
) -> None:
    class Broken(Told):
        def filter(self, entry: Any) -> bool:
            raise LookupError("nothing is known of it")

    caplog.set_level(logging.DEBUG, logger="engine")
    made = Broken(store)
    made.process_entries(**how)
    (error,) = (event for event in made.told if event[0] == "error")
    assert made.told == [
        ("run begins", 1), ("error", "A-1", None, error[3]), ("entry", "A-1", "failed"), ("run", 1, "completed"),
    ]  # fmt: skip
    assert logged(caplog) == made.told
    assert spanned(spans) == ends(made.told)


def test_a_refused_entry_is_told_by_all(made: Told, caplog: pytest.LogCaptureFixture, spans: Any) -> None:
    made.keys = ("A-1", "A-1")
    made.process_entries()
    (refusal,) = (event for event in made.told if event[0] == "refused")
    assert "two entries" in refusal[1]
    assert logged(caplog) == made.told
    assert refusal in spanned(spans)


def test_an_entry_that_another_has_taken_is_told_as_running(
    made: Told, store: Store, caplog: pytest.LogCaptureFixture, spans: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.journal.stored.TRUST", -1)
    with Store(store.path) as other:
        owner = other.owner
        start = made.on_entry_start

        def take(entry: Any) -> None:
            start(entry)
            store.entries.update({"owner": owner}, where("key") == entry.key)

        made.on_entry_start = take  # type: ignore[method-assign]
        made.process_entries()
    assert made.told == [("run begins", 1), ("taken up", "A-1"), ("entry", "A-1", "running"), ("run", 1, "completed")]
    assert spanned(spans) == ends(made.told)
    assert [event for event in logged(caplog) if event != ("entry", "A-1", "A-1")][-2:] == made.told[-2:]


@HOW
def test_a_run_that_is_broken_off_inside_a_task_leaves_it_in_doubt(
    made: Told, caplog: pytest.LogCaptureFixture, spans: Any, how: dict[str, Any]
) -> None:
    def check(entry: Any) -> None:
        raise KeyboardInterrupt

    made.check = check
    if not how:
        with pytest.raises(KeyboardInterrupt):
            made.process_entries(**how)
        assert made.told[-2:] == [("entry", "A-1", "in doubt"), ("run", 1, "aborted")]
    else:  # a worker's thread is interrupted by nobody
        made.process_entries(**how)
        assert made.told[-2:] == [("entry", "A-1", "failed"), ("run", 1, "completed")]
    assert logged(caplog) == made.told
    assert spanned(spans)[-2:] == made.told[-2:]


# --- who listens breaks nothing

HOOKS = (
    "on_run_start", "on_run_finish", "on_entry_start", "on_entry_finish", "on_refusal", "on_task_start",
    "on_task_finish", "on_error",
)  # fmt: skip


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, GeneratorExit, asyncio.CancelledError, BaseException])
@HOW
def test_what_hooks_raise_breaks_nothing(
    store: Store, caplog: pytest.LogCaptureFixture, error: type[BaseException], how: dict[str, Any]
) -> None:
    made = Orders(store)
    made.keys, made.check = ("A-1", "A-1", "bad"), lambda entry: 1 / (entry.key != "bad") and None

    def raises(*what: Any) -> None:
        raise error("the pager is down")

    for hook in HOOKS:
        setattr(made, hook, raises)
    result = made.process_entries(**how)
    assert (result.ending, result.states) == ("completed", {"finished": 1, "failed": 1})
    assert {entry["key"]: entry["state"] for entry in store.entries} == {"A-1": "finished", "bad": "failed"}
    for hook in HOOKS:
        assert f"the hook {hook} of {made.name} raised {error.__name__}: the pager is down" in caplog.text


@HOW
@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook not in ("on_refusal", "on_error")])
def test_ctrl_c_in_a_hook_ends_the_run_and_loses_nothing(store: Store, hook: str, how: dict[str, Any]) -> None:
    made = Told(store)
    made.keys = ("A-1", "A-2")
    heard = getattr(made, hook)

    def interrupted(*what: Any) -> None:
        heard(*what)
        raise KeyboardInterrupt

    setattr(made, hook, interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.process_entries(**how)
    assert made.told[-1][0] == "run"
    (run,) = store.runs.all()
    assert run["ending"] == ("completed" if hook == "on_run_finish" else "aborted")
    assert [entry["owner"] for entry in store.entries if entry["owner"]] == []
    begun = {event[1] for event in made.told if event[0] == "task begins"}
    assert {entry["key"] for entry in store.entries if entry["executions"]} <= begun
    setattr(made, hook, heard)
    made.process_entries()
    assert {entry["state"] for entry in store.entries} <= {"finished", "in doubt"}


def test_a_log_that_cannot_be_written_breaks_nothing(made: Told) -> None:
    class Deaf(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise OSError("no room for the log")

    def raises(*what: Any) -> None:
        raise RuntimeError("the pager is down")

    made.on_entry_finish = raises  # type: ignore[method-assign]
    deaf = Deaf()
    logging.getLogger("engine").addFilter(deaf)
    try:
        assert made.process_entries().states == {"finished": 1}
    finally:
        logging.getLogger("engine").removeFilter(deaf)


def test_who_shows_the_progress_breaks_nothing(made: Told, caplog: pytest.LogCaptureFixture) -> None:
    def closed(result: Any) -> None:
        raise BrokenPipeError

    made.observer = closed
    assert made.process_entries().states == {"finished": 1}
    assert "the observer of the run raised BrokenPipeError" in caplog.text


def test_a_run_that_could_not_begin_is_not_over_either(made: Told, store: Store) -> None:
    store.close()
    with pytest.raises(StoreError):
        made.process_entries()
    assert made.told == []


def test_a_dry_run_calls_no_hook(made: Told) -> None:
    made.process_entries(dry_run=True)
    assert made.told == []


# --- what happens outside a run is told to the log


def test_what_a_death_has_cost_is_told_once(made: Told, caplog: pytest.LogCaptureFixture) -> None:
    crash(made, CrashPoint.AFTER_BODY, Check)
    died = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in died] == [
        "run 1 crashed: its process died",
        "task 'Check' of entry 'A-1' had begun when its process died: it may have taken effect",
    ]
    about = [vars(died[1])[name] for name in ("run", "entry", "task", "attempt")]
    assert about == [1, "A-1", "Check", 1]
    caplog.clear()
    made.process_entries()
    assert made.told[-2:] == [("entry", "A-1", "in doubt"), ("run", 2, "completed")]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_each_act_of_an_operator_is_one_line(made: Told, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    made.process_entries()
    caplog.clear()
    made.check = lambda entry: stop(2, store=store, who="anna@host") and None
    made.keys = ("A-1", "A-2")
    made.process_entries()
    hold(["A-1", "A-2"], store=store, who="anna@host", why="customs")
    pause("Told", store=store, who="anna@host")
    acts = [record.getMessage() for record in caplog.records if record.getMessage().startswith("action")]
    assert acts == [
        f"action 1: anna@host did 'stop' to run 2 of {made.name}",
        f"action 2: anna@host did 'hold' to 2 entries of {made.name}: customs",
        f"action 3: anna@host did 'pause' to {made.name}",
    ]
