"""`wfe watch` tells what is written to a store, in order: nothing is lost, nothing told twice, and it ends quietly."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest
from desk import Desk, breaks, interrupts

from engine.exceptions import InputError
from engine.lookup.following import Event, Follower, Kind, cursor, read_cursor
from engine.store import Place, Store
from engine.store.changes import REMEMBERED

PATIENCE = 60.0


# --- what is told


def told(desk: Desk, after: Place, *kinds: Kind, **given: Any) -> list[Event]:
    follower = Follower(desk.store, after, kinds or tuple(Kind), clock=desk.clock, **given)
    return list(follower.look())


def now(desk: Desk) -> Place:
    return Place(desk.store.seq() + 1)


def test_an_entry_is_told_with_the_fields_of_a_list(desk: Desk) -> None:
    after = now(desk)
    desk.run(breaks)
    events = told(desk, after, Kind.ENTRY)
    assert {event.place.id: event.to_json() for event in events} == {
        row.id: {
            "seq": event.place.seq, "cursor": cursor(event.place), "kind": "entry", "id": row.id, "removed": False,
            **row.to_json(),
        }
        for event, row in zip(events, [desk.row("A-1"), desk.row("A-2")], strict=True)
    }  # fmt: skip


def test_so_are_runs_errors_actions_and_verdicts(desk: Desk) -> None:
    desk.run(breaks)
    after = now(desk)
    desk.restart("A-1", why="customer added")
    desk.take(breaks)
    found: dict[str, Any] = {event.kind: event.fields for event in told(desk, after)}
    assert list(found) == ["entry", "error", "verdict", "run", "action"]
    assert (found["error"]["key"], found["error"]["type"]) == ("A-1", "ValueError")
    assert (found["verdict"]["action"], found["verdict"]["verdict"]) == (1, "same error")
    assert (found["run"]["run"], found["run"]["ending"], found["run"]["failed"]) == (2, "completed", 1)
    assert (found["action"]["verb"], found["action"]["why"]) == ("restart", "customer added")
    assert found["action"]["verdicts"] == {"same error": 1}


def test_what_is_removed_is_told_by_its_number(desk: Desk) -> None:
    desk.run()
    number = desk.row("A-1").id
    follower = Follower(desk.store, now(desk), [Kind.ENTRY], clock=desk.clock)
    desk.store.entries.remove(doc_ids=[number])
    (event,) = follower.look()
    assert event.to_json() == {
        "seq": event.place.seq, "cursor": cursor(event.place), "kind": "entry", "id": number, "removed": True,
    }  # fmt: skip
    assert not list(follower.look())


def test_a_condition_lets_entries_through_and_has_no_word_on_the_rest(desk: Desk) -> None:
    from engine.filter import compile_filter

    after = now(desk)
    desk.run(lambda entry: breaks(entry) if entry.key == "A-1" else interrupts(message="later")(entry))
    found = told(desk, after, condition=lambda moment: compile_filter("state:failed", desk.store, moment))
    assert [event.fields["key"] for event in found if event.kind is Kind.ENTRY and event.fields] == ["A-1"]
    assert {event.kind for event in found} == {Kind.ENTRY, Kind.ERROR, Kind.RUN}


def test_more_than_a_page_is_told_to_the_end(desk: Desk) -> None:
    after = now(desk)
    desk.entries = [{"key": f"A-{n}"} for n in range(1_200)]
    desk.run()
    follower = Follower(desk.store, after, clock=desk.clock)
    places = [event.place for event in follower.look()]
    assert len(places) == 1_201
    assert places == sorted(set(places))
    assert not list(follower.look())
    assert follower.place == now(desk)


def test_who_has_missed_removals_that_are_forgotten_has_to_begin_anew(desk: Desk) -> None:
    desk.run()
    after = now(desk)
    others = desk.store.db.table("others")
    others.insert_multiple({} for _ in range(2 * REMEMBERED + 2))
    others.truncate()
    desk.run()
    with pytest.raises(InputError, match=f"is known any more: .* go on with --since {desk.store.seq()}$"):
        told(desk, after)
    assert {event.fields["key"] for event in told(desk, Place(1), Kind.ENTRY) if event.fields} == {"A-1", "A-2"}
    assert told(desk, now(desk)) == []


def test_a_place_that_has_not_come_yet_is_of_another_store(desk: Desk) -> None:
    with pytest.raises(InputError, match="is known any more"):
        told(desk, Place(desk.store.seq() + 2))


def test_a_cursor_is_read_as_it_was_written() -> None:
    for place in (Place(1), Place(1043), Place(17, "entries", 4), Place(17, "verdicts", 1)):
        assert read_cursor(cursor(place)) == place
    assert read_cursor("1042") == Place(1043)


@pytest.mark.parametrize("text", ["", "x", "-1", "1:", "1:users:2", "1:entries:", "1" * 30, "1:entries:1 "])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no place to go on from"):
        read_cursor(text)


# --- a process of its own


class Watch:
    """`wfe watch` beside a workplace; its lines are read as they come."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.lines: list[str] = []
        self._new: Queue[str | None] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._new.put(line)
        self._new.put(None)

    def _next(self) -> str | None:
        try:
            line = self._new.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError(f"nothing more came behind {self.lines[-5:]}") from None
        if line is not None:
            self.lines.append(line)
        return line

    def until_told(self, **fields: object) -> dict[str, Any]:
        """The next object with these fields."""
        while (line := self._next()) is not None:
            found: dict[str, Any] = json.loads(line)
            if fields.items() <= found.items():
                return found
        raise AssertionError(f"it has ended: {self.lines[-5:]}")

    def until_line(self, end: str) -> str:
        """The next line that ends so, without its moment."""
        while (line := self._next()) is not None:
            if line.endswith(f"{end}\n"):
                return line[21:-1]
        raise AssertionError(f"it has ended: {self.lines[-5:]}")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it by a signal, and take in its last lines; its exit code, and what it said to people."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for its end; its exit code, and what it said to people."""
        while self._next() is not None:
            pass
        return self.process.wait(timeout=PATIENCE), self.process.stderr.read()

    @property
    def told(self) -> list[dict[str, Any]]:
        """What was told, without where it began and a line that was cut off."""
        found = [json.loads(line) for line in self.lines if line.endswith("\n")]
        return [each for each in found if each["kind"] != "start"]


@contextmanager
def watching(place: Any, *arguments: str) -> Iterator[Watch]:
    """It follows from now on."""
    with place.start("watch", *arguments) as process:
        watch = Watch(process)
        try:
            if "--json" in arguments:
                watch.until_told(kind="start")
            else:
                assert process.stderr.readline().startswith("follows ")
            yield watch
        finally:
            process.kill()


@pytest.fixture
def place(workplace: Any) -> Any:
    """The workplace with a store that has no entry yet."""
    Store(workplace.store).close()
    return workplace


def without_place(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in ("seq", "cursor", "kind", "id", "removed")}


def test_a_run_beside_it_is_told_to_its_end(place: Any) -> None:
    place.orders("A-1", "A-2 raise", "A-3 wait", "A-4 interrupt")
    with watching(place, "--json") as watch:
        place.wfe("run", "orders:Orders")
        watch.until_told(kind="run", ending="completed")
        assert watch.end() == (143, "")
    newest = {each["key"]: without_place(each) for each in watch.told if each["kind"] == "entry"}
    assert newest == place.ls()
    assert [each["key"] for each in watch.told if each["kind"] == "error"] == ["A-2"]
    assert all(each["seq"] == int(each["cursor"].split(":")[0]) for each in watch.told)


@pytest.mark.slow
def test_one_that_is_killed_goes_on_where_it_was_and_loses_nothing_and_repeats_nothing(place: Any) -> None:
    keys = [f"A-{n}" for n in range(3_000)]
    place.orders(*(f"{key} raise" if n % 100 == 0 else key for n, key in enumerate(keys)))
    told: list[dict[str, Any]] = []
    since = "0"
    kills = 0
    with place.start("run", "orders:Orders") as run:
        while not any(each["kind"] == "run" and each["ending"] == "completed" for each in told):
            with watching(place, "--json", "--since", since) as watch:
                watch.until_told()
                while len(watch.told) < 300 and watch.told[-1].get("ending") != "completed":
                    watch.until_told()
                watch.end(signal.SIGKILL)
                kills += 1
            told += watch.told
            since = told[-1]["cursor"]
        place.ended(run)
    assert kills > 1
    places = [read_cursor(each["cursor"]) for each in told]
    assert places == sorted(set(places)), "each once, in order"
    newest = {each["key"]: without_place(each) for each in told if each["kind"] == "entry"}
    assert newest == place.ls()
    with Store(place.store) as store:
        assert [each["error_id"] for each in told if each["kind"] == "error"] == [
            error["error_id"] for error in store.errors
        ]


def test_the_death_of_a_run_is_told_as_a_change_of_its_entries(place: Any) -> None:
    place.orders("A-1", "A-2 die", "A-3")
    with watching(place, "--json", "state:in") as watch:
        place.wfe("run", "orders:Orders")
        found = watch.until_told(kind="entry", key="A-2")
        assert (found["state"], found["task"]) == ("in doubt", "Check")
        watch.end()
    assert {each["key"] for each in watch.told} == {"A-2"}


def test_a_process_that_is_killed_inside_a_task_that_takes_long_is_told_of(slow: Any) -> None:
    """Its start was written with its entry, so no line of its recording tells of it."""
    slow.orders("A-1")
    with slow.start("run", "orders:Slow") as run:
        slow.wait_until_inside()
        slow.wait_until_shown("A-1", state="running", task="Wait")
        with watching(slow, "--json") as watch:
            run.kill()
            assert watch.until_told(kind="entry", key="A-1")["state"] == "in doubt"
            watch.end()
        assert [each["state"] for each in watch.told if each["kind"] == "entry"] == ["in doubt"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl+c", "SIGTERM"])
@pytest.mark.parametrize("how", ["--json", "--kind=run"])
def test_it_ends_quietly(place: Any, number: int, code: int, how: str) -> None:
    with watching(place, how) as watch:
        assert watch.end(number) == (code, "")
    assert watch.told == []


def test_it_ends_when_nobody_reads_it_any_more_though_nothing_is_written(place: Any) -> None:
    place.wfe("run", "orders:Orders")
    command = f"{sys.executable} -m engine watch --json --since 0 | head -3; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE, check=True,
        env={**os.environ, "WFE_STORE": str(place.store)},
    )  # fmt: skip
    assert done.stderr == ""
    *lines, code = done.stdout.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["start", "entry", "entry"]
    assert code == "141"


def test_people_are_told_what_became_of_what(place: Any) -> None:
    place.orders("A-1 raise")
    with watching(place) as watch:
        place.wfe("run", "orders:Orders")
        assert watch.until_line("1 failed").endswith("completed  orders:Orders  1 considered, 1 failed")
        place.repair()
        place.wfe("restart", "A-1", "--why", "a\x1b[31mdded")
        assert watch.until_line("a␛[31mdded").startswith("action 1  restart by ")
        assert watch.until_line("→ finished  sent for 7").startswith("A-1  ")
        place.wfe("prune", "--older-than", "0s")
        assert watch.until_line("removed") == "A-1  removed"
        assert watch.end() == (143, "")
    [failed] = [line for line in watch.lines if "failed  Check" in line]
    assert failed.endswith("failed  Check  ValueError: no customer in A-1\n")


def test_what_comes_from_outside_is_told_literally(place: Any) -> None:
    place.orders("A\x1b]0;-1 raise")
    with watching(place) as watch:
        place.wfe("run", "orders:Orders")
        watch.until_line("1 failed")
        watch.end()
    assert not any("\x1b" in line for line in watch.lines)
    assert any("A␛]0;-1  " in line for line in watch.lines)


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_store_that_is_no_longer_there_ends_it_with_a_sentence(place: Any, what: str) -> None:
    with watching(place, "--json") as watch:
        if what == "replaced":
            (place.folder / "other.db").write_bytes(b"")
            (place.folder / "other.db").rename(place.store)
        else:
            place.store.unlink()
        code, said = watch.ended()
    assert code == 2
    assert said == f"wfe: the store {place.store} was removed or replaced while it was open: open it again\n"


REFUSED = [
    (["--store", "nosuch.db"], "there is no store at "),
    (["--since", "yesterday"], "'yesterday' is no place to go on from"),
    (["--since", "99"], "not all that was written to "),
    (["state:faild"], "there is no state 'faild'"),
    (["--kind", "entries"], "'entries' is not one of "),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_what_cannot_be_followed_is_said_at_once(place: Any, arguments: list[str], sentence: str) -> None:
    done = place.wfe("watch", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert any(sentence in line for line in done.stderr.splitlines() if line.startswith("wfe: ")), done.stderr
