"""Pauses: who paused which processor and why, said to who asks, and recorded like every act."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import InputError, Store, StoredProcessor, StoreError, WorkflowModel
from engine.clock import to_text
from engine.operations import Refusal, pause, resume, shell_line
from engine.pausing import Pause, pause_of, pauses


class Order(WorkflowModel):
    key: str


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self) -> list[Any]:
        return [{"key": "A-1"}]

    def get_tasks(self) -> list[Any]:
        return []


class Bills(Orders):
    """A second workflow on the same store, of which nothing but a run is there."""

    def get_default_entries(self) -> list[Any]:
        return []


ORDERS, BILLS = "test_pausing:Orders", "test_pausing:Bills"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        Orders(opened).process_entries()
        Bills(opened).process_entries()
        yield opened


def test_a_pause_tells_who_when_and_why_until_it_is_resumed(store: Store, clock: Any) -> None:
    assert pause_of(store, ORDERS) is None
    made = pause(ORDERS, store=store, who="anna@host", why="carrier down", clock=clock)
    assert made == Pause(ORDERS, "anna@host", clock(), "carrier down")
    assert pause_of(store, ORDERS) == made
    assert pause_of(store, BILLS) is None
    assert resume(ORDERS, store=store, clock=clock) == made
    assert pause_of(store, ORDERS) is None
    assert pauses(store) == []


def test_another_process_sees_a_pause_and_is_told_of_each_change(store: Store) -> None:
    with Store(store.path, read_only=True) as other:
        since = other.seq()
        pause(ORDERS, store=store)
        assert pause_of(other, ORDERS)
        changes = other.changes(since)
        assert changes.concern("pauses")
        resume(ORDERS, store=store)
        assert other.changes(changes.seq).concern("pauses")


def test_each_processor_is_paused_for_itself_and_the_oldest_pause_is_told_first(store: Store, clock: Any) -> None:
    pause(ORDERS, store=store, clock=clock)
    clock.turn(hours=-1)
    pause(BILLS, store=store, clock=clock)
    assert [paused.processor for paused in pauses(store)] == [BILLS, ORDERS]
    resume(ORDERS, store=store)
    assert [paused.processor for paused in pauses(store)] == [BILLS]


@pytest.mark.parametrize(
    ("later", "why", "said"),
    [
        (timedelta(hours=1), "carrier down", "paused by anna@host since 02:15: carrier down"),
        (timedelta(hours=1), None, "paused by anna@host since 02:15"),
        (timedelta(days=1), None, "paused by anna@host since 2026-11-23 02:15"),
    ],
)
def test_the_words_of_a_pause(zone: Callable[[str], None], clock: Any, later: timedelta, why: Any, said: str) -> None:
    zone("UTC")
    clock.turn(hours=-9, minutes=-45)
    assert Pause(ORDERS, "anna@host", clock(), why).words(clock() + later) == said


def test_what_is_paused_is_not_paused_again_and_says_by_whom_it_was(
    store: Store, clock: Any, zone: Callable[[str], None]
) -> None:
    zone("UTC")
    first = pause(ORDERS, store=store, who="anna@host", why="carrier down", clock=clock)
    clock.turn(minutes=5)
    with pytest.raises(Refusal, match=rf"^{ORDERS} is paused by anna@host since 12:00: carrier down$"):
        pause(ORDERS, store=store, clock=clock)
    assert pauses(store) == [first]
    assert len(store.actions) == 1


def test_what_is_not_paused_is_not_resumed(store: Store) -> None:
    with pytest.raises(Refusal, match=rf"^{ORDERS} is not paused$"):
        resume(ORDERS, store=store)
    assert len(store.actions) == 0


@pytest.mark.parametrize("act", [pause, resume])
@pytest.mark.parametrize("name", ["shop:Nothing", "Nothing", "", "test_pausing", "test_pausing:orders"])
def test_a_processor_that_the_store_has_never_seen_is_refused_with_those_that_it_has(
    store: Store, act: Any, name: str
) -> None:
    before = store.seq()
    with pytest.raises(InputError, match=rf"no processor '{name}' .*those that have: {BILLS}, {ORDERS}$"):
        act(name, store=store)
    assert store.seq() == before


def test_the_class_name_alone_will_do_where_one_processor_has_it(store: Store) -> None:
    assert pause("Orders", store=store).processor == ORDERS
    assert resume("Orders", store=store).processor == ORDERS
    store.runs.insert({**dict(store.runs.all()[0]), "processor": "shop:Orders"})
    with pytest.raises(InputError, match=f"shop:Orders and {ORDERS} are called 'Orders': name one of them in full"):
        pause("Orders", store=store)
    assert pause("shop:Orders", store=store).processor == "shop:Orders"


def test_pause_and_resume_are_recorded_with_who_when_and_why(store: Store, clock: Any) -> None:
    pause(ORDERS, store=store, who="anna", why="carrier down", clock=clock)
    resume(ORDERS, store=store, who="kim", clock=clock)
    first, second = store.actions.all()
    assert (first["verb"], first["who"], first["why"], first["processor"]) == ("pause", "anna", "carrier down", ORDERS)
    assert (second["verb"], second["who"], second["why"], second["processor"]) == ("resume", "kim", None, ORDERS)
    was = {"who": "anna", "when": to_text(clock()), "why": "carrier down"}
    assert (first["inverse"], second["inverse"]) == ({"resume": True}, {"pause": was})
    for action in (first, second):
        assert (action["keys"], action["results"], action["open"]) == ([], {}, False)


def test_a_store_that_is_only_read_is_not_paused(store: Store) -> None:
    with Store(store.path, read_only=True) as other, pytest.raises(StoreError, match="read only"):
        pause(ORDERS, store=other)
    assert pauses(store) == []


def test_the_shell_line_of_a_pause_names_the_processor_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WFE_STORE", str(store.path))
    assert shell_line("pause", [ORDERS], store) == f"wfe pause {ORDERS}"
