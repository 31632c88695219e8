"""The report as a page: its numbers are those of the store, it stands alone, and it obeys nothing from outside."""

import random
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest
from desk import Desk, breaks
from test_report import ANNA, EVENING, ME, MORNING, PIECES, full

from engine.journal.durations import Histogram
from engine.report.figures import Became, FailingOf, Figures, Interval, Taken, figures
from engine.report.markdown import markdown
from engine.report.page import page
from engine.report.since import Report, report
from engine.verdicts import Verdict


class Reader(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, and the text that stands in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.shown = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes.update(name for name, _ in attrs)
        if tag not in ("meta", "rect"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag, "each element is closed where it was opened"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.shown += data
        if {"td", "th"} & set(self.open) and "svg" not in self.open:
            self.rows[-1][-1] += data

    def row(self, beginning: str) -> list[str]:
        """The cells of the one row whose name begins so."""
        [found] = [row for row in self.rows if row and row[0].startswith(beginning)]
        return found


def told(desk: Desk, **ago: float) -> tuple[Report, Figures]:
    found = report(desk.store, desk.clock() - timedelta(**ago), desk.clock(), ME)
    return found, figures(desk.store, found)


def numbers(text: Any = lambda: "text") -> Figures:
    """Something of every kind, in which all that comes from outside is such a text."""
    return Figures(
        [Interval(EVENING + timedelta(minutes=15 * at), 1200 * at, at) for at in range(48)],
        [FailingOf(f"v1:{text()}", text(), text(), 1200), FailingOf(None, "other causes", "", 7)],
        [Taken(text(), text(), 300, 0.9, 2.5, 0.3, 0.8), Taken(text(), text(), 1, 0.1, 0.1, None, None)],
        [Became(text(), 2, {Verdict.FIXED: 40, Verdict.SAME_ERROR: 2})],
    )


# --- the numbers


def test_results_are_counted_in_the_interval_in_which_they_ended(desk: Desk) -> None:
    desk.run()
    desk.clock.turn(hours=6)
    desk.entries = [{"key": "B-1"}, {"key": "B-2"}, {"key": "B-3"}]
    desk.run(breaks)
    desk.clock.turn(hours=6)
    _, found = told(desk, hours=8)
    assert (found.results, found.failures) == (6, 3), "two tasks on three entries; the run before is of another time"
    [then] = [each for each in found.over_time if each.results]
    assert (desk.clock() - then.begin) == timedelta(hours=6)
    assert len(found.over_time) == 48
    assert told(desk, hours=13)[1].results == 10


def test_what_a_run_counted_over_several_intervals_is_shared_out_and_nothing_is_lost(desk: Desk) -> None:
    desk.run()
    hour = 3600.0
    desk.store.runs.update({"pace": [[hour, 7, 0], [2 * hour, 100, 13]]}, doc_ids=[1])
    desk.clock.turn(hours=2)
    desk.run()
    desk.store.runs.update({"pace": []}, doc_ids=[2])
    desk.store.runs.update({"updated": desk.store.runs.get(doc_id=2)["updated"]}, doc_ids=[1])
    _, found = told(desk, hours=2)
    assert (found.results, found.failures) == (107, 13)
    assert sum(each.results for each in found.over_time[:24]) == 7
    assert {each.results for each in found.over_time[24:]} == {4, 5}
    _, half = told(desk, hours=1)
    assert (half.results, half.failures) == (100, 13)


def test_failing_entries_are_told_by_cause_and_all_that_fail_are_in_it(desk: Desk) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(5)]

    def check(entry: Any) -> None:
        raise (KeyError if entry.key == "A-0" else ValueError)(f"no customer in {entry.key}")

    desk.run(check)
    found, made = told(desk, hours=1)
    assert [(each.type, each.entries) for each in made.causes] == [("ValueError", 4), ("KeyError", 1)]
    assert found.dealt.failures == 5


def test_durations_stand_beside_those_of_the_runs_before_the_period(desk: Desk) -> None:
    def measured(run: int, seconds: float) -> None:
        histogram = Histogram()
        for _ in range(20):
            histogram.add(seconds)
        desk.store.runs.update({"durations": {"Check": histogram.to_json()}}, doc_ids=[run])

    desk.run()
    measured(1, 1.0)
    desk.clock.turn(hours=9)
    desk.entries = [{"key": "B-1"}]
    desk.run()
    measured(2, 4.0)
    _, made = told(desk, hours=1)
    [check] = made.tasks
    assert (check.processor, check.task, check.executions) == ("desk:Orders", "Check", 20)
    assert check.change == pytest.approx(4, rel=0.1)
    _, whole = told(desk, hours=12)
    assert [(each.usual_median, each.change) for each in whole.tasks] == [(None, 1.0)]


def test_what_became_of_acts_is_told_by_verb_with_what_was_refused(desk: Desk) -> None:
    desk.entries = [{"key": "A-1"}, {"key": "A-2"}, {"key": "A-3"}]
    desk.run(breaks)
    desk.entries = []
    desk.restart("A-1", "A-2", who=ANNA)
    desk.take()
    desk.restart("A-1", who=ANNA)
    desk.repeat("A-3", who=ME)
    _, made = told(desk, hours=1)
    assert [(each.verb, each.acts, dict(each.verdicts)) for each in made.acts] == [
        ("restart", 2, {Verdict.FIXED: 2, Verdict.REFUSED: 1}),
        ("repeat on", 1, {Verdict.WAITING: 1}),
    ]


# --- Markdown, and the page


def test_markdown_has_what_ended_when_as_bars(zone: Any) -> None:
    zone("UTC")
    said = markdown(full(lambda: "text", Path("/srv/wfe.db")), numbers())
    chart = said.split("```text\n")[1].split("\n```")[0].splitlines()
    assert [line[:12] for line in chart] == ["executions  ", "failed      ", " " * 12]
    assert chart[0].endswith("▇▇███  1,353,600")
    assert chart[1].endswith("█  1,128")
    assert chart[2].split() == ["22:00", "08:00"]
    assert len(chart[2]) == 12 + 48
    assert "At most 56,400 executions ended in 15m, and at most 47 failed.\n" in said


def test_the_numbers_of_each_chart_can_be_read_in_a_table(zone: Any) -> None:
    zone("UTC")
    read = Reader(page(full(lambda: "text", Path("/srv/wfe.db")), numbers()))
    assert read.row("2026-11-23 22:15") == ["2026-11-23 22:15", "1,200", "1"]
    assert read.row("text: text")[1] == "1,200"
    assert read.row("text 3.0× as long")[1:] == ["900ms" + "usual 300ms", "2s" + "usual 800ms"]
    assert read.row("text 2 times")[0].endswith("40 fixed2 same error")
    assert "At most 56,400 executions ended in 15m, and at most 47 failed." in read.shown
    assert read.elements["title"] == read.elements["svg"] + 1, "what is drawn can be read aloud"
    assert read.elements["desc"] == 1


def test_it_loads_nothing_and_runs_nothing() -> None:
    text = page(full(lambda: "text", Path("/srv/wfe.db")), numbers())
    read = Reader(text)
    assert not {"script", "link", "img", "iframe", "object", "a", "form"} & set(read.elements)
    assert not {"src", "href", "style"} & set(read.attributes)
    assert not [name for name in read.attributes if name.startswith("on")]
    assert "://" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("seed", range(40))
def test_nothing_from_outside_is_obeyed_by_a_browser(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        *PIECES,
        '"',
        "'",
        "<script>alert(1)</script>",
        "' onload='x",
        "-->",
        "</style>",
        "]]>",
        "&#60;b&#62;",
        "שלום",
    ]

    def text() -> str:
        return "".join(chance.choices(pieces, k=chance.randint(1, 6)))

    said = page(full(text, Path(f"/srv/<b>{seed}.db")), numbers(text))
    quiet = Reader(page(full(lambda: "quiet", Path("/srv/quiet.db")), numbers(lambda: "quiet")))
    read = Reader(said)
    more = read.elements - quiet.elements
    assert set(more) <= {"code"}, "where a line for a shell can be written"
    assert set(read.attributes) == set(quiet.attributes)
    assert not read.open
    assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_what_was_said_is_read_as_it_was_said() -> None:
    text = "a <b>b</b> & \"c\" 'd' &amp; <script>"
    read = Reader(page(full(lambda: text, Path("/srv/wfe.db")), numbers(lambda: text)))
    assert read.shown.count(f"{text}: {text} in {text}") >= 2


def test_a_night_in_which_nothing_happened_is_one_sentence_without_charts() -> None:
    read = Reader(page(Report(Path("/srv/wfe.db"), EVENING, MORNING, ME), Figures()))
    assert "✓ nothing fails. Nothing has happened since, and nothing is awaited." in read.shown
    assert not {"svg", "table", "section"} & set(read.elements)


# --- the shell


@pytest.mark.slow
def test_wfe_report_writes_a_page_or_its_numbers_as_json_and_not_both(workplace: Any) -> None:
    workplace.orders("A-1", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    done = workplace.wfe("report", "--html")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<!doctype html>")
    read = Reader(done.stdout)
    assert "ValueError: no customer in A-2" in read.shown
    assert "executions ended5" in read.shown
    found = orjson.loads(workplace.wfe("report", "--json").stdout)["figures"]
    assert [each["task"] for each in found["tasks"]]
    assert sum(each["results"] for each in found["over_time"]) == 5
    refused = workplace.wfe("report", "--html", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "wfe: --html and --json exclude each other: give one of them\n"
