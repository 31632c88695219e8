"""Stop and drain: what an operator asks of a run that goes on in another process, and what is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import InputError, Store, StoredProcessor, StoreError, Task, WorkflowModel
from engine.operations import Refusal, drain, shell_line, stop
from engine.wishes import Wish, wish_of

BOTH = pytest.mark.parametrize("ask", [stop, drain])


class Order(WorkflowModel):
    key: str


class Call(Task):
    """Does what the test says of the entry."""

    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        self.processor.do(entry)  # type: ignore[attr-defined]


class Orders(StoredProcessor):
    model = Order
    keys: tuple[str, ...] = ("A-1", "A-2")
    do: Callable[[Any], Any] = staticmethod(lambda entry: None)

    def get_default_entries(self) -> list[Any]:
        return [{"key": key} for key in self.keys]

    def get_tasks(self) -> list[Task]:
        return [Call(self)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


def going_on(store: Store, owner: str, **fields: Any) -> int:
    """A run of another owner."""
    run = {"processor": "shop:Orders", "started": "2026", "ended": None, "ending": None, "owner": owner}
    return store.runs.insert({**run, **fields})


@BOTH
def test_a_run_is_asked_once_and_the_record_says_by_whom(store: Store, ask: Any, clock: Any) -> None:
    with Store(store.path) as other:
        run = going_on(store, other.owner)  # of an older version: it has no field for wishes
        assert wish_of(store, run) is None
        assert ask(run, store=store, who="anna@host", why="the carrier is down", clock=clock) == "shop:Orders"
        assert wish_of(other, run) == Wish(ask.__name__)
        with pytest.raises(Refusal, match=f"run {run} was asked to {ask.__name__} before"):
            ask(run, store=store)
    (action,) = store.actions.all()
    assert (action["verb"], action["who"], action["why"]) == (ask.__name__, "anna@host", "the carrier is down")
    assert (action["processor"], action["run"], action["results"]) == ("shop:Orders", run, {})


def test_a_run_that_drains_can_be_stopped_and_not_the_other_way_round(store: Store) -> None:
    with Store(store.path) as other:
        run = going_on(store, other.owner)
        drain(run, store=store)
        stop(run, store=store)
        assert wish_of(store, run) is Wish.STOP
        with pytest.raises(Refusal, match="was asked to stop before"):
            drain(run, store=store)


@BOTH
def test_what_does_not_go_on_is_not_asked(store: Store, ask: Any) -> None:
    with Store(store.path) as other:
        living = going_on(store, other.owner)
        ended = going_on(store, other.owner, ended="2027", ending="aborted")
        with pytest.raises(InputError, match=f"there is no run 77 .*those that go on: {living}$"):
            ask(77, store=store)
        with pytest.raises(Refusal, match=f"run {ended} has ended: aborted"):
            ask(ended, store=store)
    with pytest.raises(Refusal, match=f"the process of run {living} has died"):
        ask(living, store=store)
    with Store(store.path, read_only=True) as other, pytest.raises(StoreError, match="read only"):
        ask(living, store=other)
    assert len(store.actions) == 0
    assert all(wish_of(store, run) is None for run in (living, ended))


def test_what_is_asked_in_the_last_moment_is_heeded_by_who_made_the_run(store: Store) -> None:
    made = Orders(store)
    made.do = lambda entry: stop(1, store=store) if entry.key == "A-2" else None
    assert made.process_entries().considered == 2
    assert made.stopping.is_asked


def test_a_run_that_waits_for_its_turn_at_a_fragile_system_stops_at_once(store: Store) -> None:
    class Rarely(Call):
        rate = 1 / 3600

    class Fragile(Orders):
        def get_tasks(self) -> list[Task]:
            return [Rarely(self)]

    made = Fragile(store)
    made.do = lambda entry: stop(1, store=store)
    assert made.process_entries().ending == "stopped"


def test_a_later_run_of_another_program_is_not_concerned(store: Store) -> None:
    stopped = Orders(store)
    stopped.do = lambda entry: stop(1, store=store)
    stopped.process_entries()
    assert Orders(store).process_entries().ending == "completed"


# --- in the shell


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["stop", "drain"])
@pytest.mark.parametrize("how", [[], ["--workers", "1"], ["--processes", "1"]], ids=["inline", "threads", "processes"])
def test_a_run_in_another_process_ends_what_is_under_way_and_says_who_ended_it(
    slow: Any, verb: str, how: list[str]
) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", *how) as process:
        slow.wait_until_inside()
        asked = slow.wfe(verb, "1", "--why", "the carrier is down")
        assert (asked.returncode, asked.stdout) == (0, "")
        assert "run 1 of orders:Slow" in asked.stderr
        again = slow.wfe(verb, "1")
        assert again.returncode == 1
        assert f"{verb}: refused: run 1 was asked to {verb} before" in again.stderr
        slow.go_on()
        code, _, err = slow.ended(process)
    assert (code, "operator" in err) == (0, True), err
    assert slow.done == ["Fetch A-1", "Wait A-1", *(["Send A-1"] if verb == "drain" else [])]
    with Store(slow.store) as store:
        assert store.runs.all()[0]["ending"] == "stopped"
    late = slow.wfe(verb, "1")
    assert late.returncode == 1
    assert "run 1 has ended: stopped" in late.stderr


@pytest.mark.parametrize("verb", ["stop", "drain"])
def test_a_worker_ends_with_its_run(slow: Any, verb: str) -> None:
    slow.orders("A-1")
    with slow.start("work", "orders:Slow", "--every", "1h") as process:
        slow.wait_until_inside()
        assert slow.wfe(verb, "1").returncode == 0
        slow.go_on()
        assert slow.ended(process)[0] == 0


def test_a_number_that_is_no_run_is_refused_in_a_sentence(slow: Any) -> None:
    slow.orders()
    slow.wfe("run", "orders:Slow")
    done = slow.wfe("stop", "9")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no run 9" in done.stderr


def test_the_shell_line_of_a_stop_names_the_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFE_STORE", str(store.path))
    assert shell_line("stop", ["7"], store, why="too slow") == "wfe stop --why 'too slow' 7"
