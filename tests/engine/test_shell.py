"""`wfe` as a real process: what it prints, the code it exits with, and one clear sentence for every bad input."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.store import Store

PROMISED = {"key", "state", "processor", "task", "error_id", "repeat", "attempts", "updated"}


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence with which a command could not run."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("wfe: ")
    return sentence


# --- run


def test_a_run_of_which_nothing_failed_exits_0_and_sums_up(workplace: Any) -> None:
    done = workplace.wfe("run", "orders:Orders")
    assert (done.returncode, done.stderr) == (0, "")
    assert ["2", "considered"] in [line.split() for line in done.stdout.splitlines()]
    assert ["2", "finished"] in [line.split() for line in done.stdout.splitlines()]
    assert workplace.done == ["Fetch A-1", "Check A-1", "Send A-1", "Fetch A-2", "Check A-2", "Send A-2"]


@pytest.mark.parametrize(("fate", "state"), [("raise", "failed"), ("interrupt", "interrupted")])
def test_a_run_of_which_entries_failed_or_were_interrupted_exits_1_and_names_them(
    workplace: Any, fate: str, state: str
) -> None:
    workplace.orders("A-1", f"A-2 {fate}", "A-3")
    done = workplace.wfe("run", "orders:Orders")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "A-2" in line]
    assert state in line
    assert "Check" in line
    assert {"no customer", "does not answer"} & {part for part in ("no customer", "does not answer") if part in line}
    rows = workplace.ls()
    assert {key: row["state"] for key, row in rows.items()} == {"A-1": "finished", "A-2": state, "A-3": "finished"}
    assert workplace.wfe("run", "orders:Orders").returncode == 1, "it still is"


def test_an_entry_that_waits_is_no_failure(workplace: Any) -> None:
    workplace.orders("A-1 wait")
    assert workplace.wfe("run", "orders:Orders").returncode == 0
    row = workplace.ls()["A-1"]
    assert row["state"] == "waiting"
    assert row["due"]


def test_named_entries_only(workplace: Any) -> None:
    assert workplace.wfe("run", "orders:Orders", "A-2").returncode == 0
    assert workplace.done == ["Fetch A-2", "Check A-2", "Send A-2"]


def test_a_named_entry_that_is_not_there_is_told_by_its_name_and_the_others_go_on(workplace: Any) -> None:
    done = workplace.wfe("run", "orders:Orders", "A-2", "A-77")
    assert "'A-77'" in refused(done)
    assert workplace.done == ["Fetch A-2", "Check A-2", "Send A-2"]


@pytest.mark.parametrize(("limit", "sent"), [("0", 0), ("1", 1), ("9", 2)])
def test_limit(workplace: Any, limit: str, sent: int) -> None:
    assert workplace.wfe("run", "orders:Orders", "--limit", limit).returncode == 0
    assert len(workplace.done) == 3 * sent


@pytest.mark.slow
def test_a_dry_run_writes_nothing(workplace: Any) -> None:
    before = {path.name for path in workplace.folder.iterdir()}
    assert workplace.wfe("run", "orders:Orders", "--dry-run").returncode == 0
    assert {path.name for path in workplace.folder.iterdir()} - {"__pycache__"} == before
    workplace.wfe("run", "orders:Orders", "--limit", "1")
    listed = workplace.wfe("ls", "--json").stdout
    assert workplace.wfe("run", "orders:Orders", "--dry-run").returncode == 0
    assert workplace.wfe("ls", "--json").stdout == listed


def test_consider_date_is_the_moment_that_repeats_are_judged_at(workplace: Any) -> None:
    workplace.orders("A-1 wait")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    workplace.wfe("run", "orders:Orders")
    assert workplace.ls()["A-1"]["state"] == "waiting"
    assert workplace.wfe("run", "orders:Orders", "--consider-date", "31.12.2099").returncode == 0
    assert workplace.ls()["A-1"]["state"] == "finished"


def test_the_processor_may_be_named_by_its_file(workplace: Any) -> None:
    workplace.wfe("run", "orders:Orders", "A-1")
    elsewhere = workplace.folder / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "engine", "run", "../orders.py:Orders", "--store", str(workplace.store)]
    assert subprocess.run(command, cwd=elsewhere, capture_output=True, check=False, timeout=60).returncode == 0
    assert {row["processor"] for row in workplace.ls().values()} == {"orders:Orders"}
    assert len(workplace.done) == 6


def test_a_processor_with_its_own_storage_runs_without_a_store(workplace: Any) -> None:
    (workplace.folder / "own.py").write_text(
        "from engine import Processor, Task, WorkflowModel\n"
        "class Fetch(Task):\n"
        "    def process_entry(self, entry, dry_run=False):\n"
        "        assert entry.source != 'bad', 'bad source'\n"
        "class Own(Processor):\n"
        "    def get_default_entries(self): return [WorkflowModel(source=s) for s in ('good', 'bad')]\n"
        "    def get_entry(self, selection): return WorkflowModel(source=selection)\n"
        "    def get_tasks(self): return [Fetch(self)]\n"
        "    def write_entry(self, entry, execution): pass\n"
        "    def close(self): print('closed')\n"
    )
    assert workplace.wfe("run", "own:Own", "good").returncode == 0
    done = workplace.wfe("run", "own:Own")
    assert done.returncode == 1
    assert "bad source" in done.stderr, "its errors go to the log"
    assert "closed" in done.stdout
    assert not workplace.store.exists()
    assert "own:Own" in refused(workplace.wfe("run", "own:Own", "--actions"))


# --- what an entry, an error, a list look like


def test_ls_gives_one_json_object_a_line_with_the_promised_fields(workplace: Any) -> None:
    workplace.orders("A-1", "A-2 raise", "A-3 wait")
    workplace.wfe("run", "orders:Orders")
    lines = workplace.wfe("ls", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["key"] for row in rows] == ["A-2", "A-3", "A-1"], "what failed comes first, what is finished last"
    assert all(set(row) >= PROMISED for row in rows)
    failed, waiting, finished = rows
    assert (failed["state"], failed["task"], failed["attempts"], failed["repeat"]) == ("failed", "Check", 1, False)
    assert failed["processor"] == "orders:Orders"
    assert failed["error_id"]
    assert failed["updated"].endswith("+00:00")
    assert waiting["repeat"]["hours"] == 1
    assert finished["error_id"] is None


def test_ls_for_people_shows_every_entry_on_a_line(workplace: Any) -> None:
    workplace.orders("A-1", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    lines = workplace.wfe("ls").stdout.splitlines()
    (line,) = [line for line in lines if "A-2" in line]
    assert "failed" in line
    assert "no customer in A-2" in line


def test_show_tells_the_tasks_what_is_next_and_the_data(workplace: Any) -> None:
    workplace.orders("A-2 raise")
    workplace.wfe("run", "orders:Orders")
    told = workplace.wfe("show", "A-2").stdout
    for word in ("A-2", "Fetch", "Check", "Send", "failed", "no customer", '"price": 7'):
        assert word in told
    shown = json.loads(workplace.wfe("show", "A-2", "--json").stdout)
    assert [(step["task"], step["kind"]) for step in shown["steps"]] == [
        ("Fetch", "done"),
        ("Check", "failed"),
        ("Send", "not reached"),
    ]
    assert shown["data"]["price"] == 7
    assert len(shown["executions"]) == 2


def test_error_shows_the_stack_trace_of_an_error_id(workplace: Any) -> None:
    workplace.orders("A-2 raise")
    workplace.wfe("run", "orders:Orders")
    error_id = str(workplace.ls()["A-2"]["error_id"])
    told = workplace.wfe("error", error_id[:8]).stdout
    for word in (error_id, "Traceback", "orders.py", "no customer in A-2", "A-2"):
        assert word in told
    record = json.loads(workplace.wfe("error", error_id, "--json").stdout)
    assert record["type"] == "ValueError"
    assert record["frames"][-1]["source"]


def test_what_entries_hold_is_shown_literally(workplace: Any) -> None:
    workplace.orders("A\x1b[31m-1 raise", "[bold]A-2[/bold]")
    workplace.wfe("run", "orders:Orders")
    told = workplace.wfe("ls").stdout + workplace.wfe("show", "A\x1b[31m-1").stdout
    assert "\x1b" not in told
    assert "[bold]A-2[/bold]" in told


def test_a_list_that_is_cut_off_by_head_ends_quietly(workplace: Any) -> None:
    workplace.orders(*(f"A-{number}-{'x' * 400}" for number in range(256)))
    workplace.wfe("run", "orders:Orders", "--limit", "1")
    with workplace.start("ls", "--json") as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


# --- repeat and restart


def test_repeat_on_is_done_by_the_next_run(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    assert workplace.wfe("repeat", "on", "A-1", "--why", "customer called").returncode == 0
    assert workplace.ls()["A-1"]["repeat"] is True
    assert workplace.wfe("run", "orders:Orders").returncode == 1
    rows = workplace.ls()
    assert (rows["A-1"]["state"], rows["A-2"]["state"]) == ("finished", "failed")
    assert workplace.done.count("Fetch A-1") == 1


def test_restart_executes_the_failed_task_at_once(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    assert workplace.wfe("restart", "A-1").returncode == 0
    assert workplace.done[-2:] == ["Check A-1", "Send A-1"]
    assert workplace.wfe("restart", "--from-start", "A-1").returncode == 0
    assert workplace.done[-3:] == ["Fetch A-1", "Check A-1", "Send A-1"]
    assert workplace.ls()["A-2"]["state"] == "failed"


@pytest.mark.usefixtures("buffering")
def test_what_restart_prints_stands_before_what_its_worker_prints(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    told = workplace.wfe("restart", "A-1").stdout.splitlines()
    assert told[:2] == ["restart: A-1", "run 2"]


@pytest.mark.usefixtures("buffering")
def test_a_restart_is_done_although_nobody_reads_what_it_prints(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    with workplace.start("restart", "A-1") as process:
        process.stdout.close()
        code, _, err = workplace.ended(process)
    assert (code, err) == (141, "action 1: 1 fixed\n")
    assert workplace.done[-1] == "Send A-1"


def test_restart_that_fails_again_exits_1(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    assert workplace.wfe("restart", "A-1").returncode == 1
    assert workplace.ls()["A-1"]["attempts"] == 2


def test_restart_whose_worker_dies_does_not_exit_0(workplace: Any) -> None:
    workplace.orders("A-1 die")
    workplace.wfe("run", "orders:Orders")
    assert workplace.wfe("restart", "A-1").returncode > 0
    assert workplace.ls()["A-1"]["state"] == "in doubt"


def test_restart_works_from_any_folder_and_after_a_run_by_script(workplace: Any, tmp_path: Path) -> None:
    workplace.orders("A-1 raise")
    subprocess.run([sys.executable, "orders.py"], cwd=workplace.folder, check=True, timeout=60)
    workplace.repair()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "engine", "restart", "A-1", "--store", str(workplace.store)]
    assert subprocess.run(command, cwd=elsewhere, capture_output=True, check=False, timeout=60).returncode == 0
    assert workplace.ls()["A-1"]["state"] == "finished"


def test_error_shows_the_newest_of_the_errors_of_a_fingerprint(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.orders("A-2 raise")
    workplace.wfe("run", "orders:Orders")
    newest = json.loads(workplace.wfe("error", workplace.ls()["A-2"]["error_id"], "--json").stdout)
    assert json.loads(workplace.wfe("error", newest["fingerprint"][:7], "--json").stdout) == newest


def test_an_error_has_one_fingerprint_whether_its_workflow_ran_as_a_script_or_by_name(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    subprocess.run([sys.executable, "orders.py"], cwd=workplace.folder, check=True, timeout=60)
    workplace.wfe("restart", "A-1")
    with Store(workplace.store) as store:
        first, second = store.errors.all()
    assert first["error_id"] != second["error_id"]
    assert first["fingerprint"] == second["fingerprint"]


@pytest.mark.parametrize("verb", [["restart"], ["repeat", "on"], ["repeat", "off"]])
def test_an_act_answers_for_each_key_and_exits_1_if_one_is_refused(workplace: Any, verb: list[str]) -> None:
    workplace.orders("A-1 raise", "A-2")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    done = workplace.wfe(*verb, "A-1", "A-2", "A-77", "--json")
    assert done.returncode == 1
    answers = {answer["key"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert {key: answer["accepted"] for key, answer in answers.items()} == {"A-1": True, "A-2": False, "A-77": False}
    assert "'A-77'" in answers["A-77"]["why"]


def test_a_restart_whose_program_is_gone_says_so_and_keeps_the_action(workplace: Any, tmp_path: Path) -> None:
    home = workplace.folder / "home"
    home.mkdir()
    for name in ("orders.py", "orders.txt"):
        shutil.copy(workplace.folder / name, home)
    (home / "orders.txt").write_text("A-1 raise")
    command = [sys.executable, "-m", "engine", "run", "orders:Orders", "--store", str(workplace.store)]
    subprocess.run(command, cwd=home, capture_output=True, check=False, timeout=60)
    shutil.rmtree(home)
    done = workplace.wfe("restart", "A-1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(home) in done.stderr
    with sqlite3.connect(workplace.store) as connection:
        (action,) = connection.execute("SELECT doc FROM actions").fetchone()
    connection.close()
    assert json.loads(action)["open"] is True


# --- decide


@pytest.fixture
def in_doubt(workplace: Any) -> Any:
    """A-1 is in doubt."""
    workplace.orders("A-1 die", "A-2")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    return workplace


def test_an_entry_in_doubt_is_shown_with_what_there_is_to_decide(in_doubt: Any) -> None:
    told = in_doubt.wfe("show", "A-1").stdout
    assert "Check may have taken effect or not, its process died inside this task; decide: again, or done" in told


def test_decide_again_executes_the_task_in_doubt_at_once(in_doubt: Any) -> None:
    assert in_doubt.wfe("decide", "again", "A-1").returncode == 0
    assert in_doubt.done == ["Fetch A-1", "Check A-1", "Check A-1", "Send A-1"]
    assert in_doubt.ls()["A-1"]["state"] == "finished"


def test_decide_done_goes_on_with_the_next_task_at_once(in_doubt: Any) -> None:
    done = in_doubt.wfe("decide", "done", "A-1", "--why", "customer confirmed")
    assert done.returncode == 0
    assert done.stdout.startswith("decide done: A-1\n")
    assert in_doubt.done == ["Fetch A-1", "Check A-1", "Send A-1"]
    assert in_doubt.ls()["A-1"]["state"] == "finished"
    assert "customer confirmed" in in_doubt.wfe("show", "A-1").stdout


def test_decide_answers_for_each_key_and_exits_1_if_one_is_refused(in_doubt: Any) -> None:
    done = in_doubt.wfe("decide", "done", "A-1", "A-2", "--json")
    assert done.returncode == 1
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["key"], first["verb"], first["accepted"]) == ("A-1", "decide done", True)
    assert (second["key"], second["why"]) == ("A-2", "it is not in doubt, it is ready")


def test_a_task_that_a_living_process_is_in_is_shown_as_running_not_in_doubt(workplace: Any) -> None:
    file = workplace.folder / "orders.py"
    file.write_text(file.read_text().replace("os.kill(os.getpid(), signal.SIGKILL)", "__import__('time').sleep(60)"))
    workplace.orders("A-1 die")
    with workplace.start("run", "orders:Orders") as process:
        while "Check A-1" not in workplace.done:
            assert process.poll() is None
        told = workplace.wfe("show", "A-1").stdout
        refused = workplace.wfe("decide", "done", "A-1")
        process.kill()
    assert "running" in told
    assert "died" not in told
    assert (refused.returncode, refused.stderr) == (1, "decide done: A-1: refused: it is running\n")


# --- pause and resume


@pytest.mark.slow
def test_a_paused_processor_is_told_by_ls_until_it_is_resumed(workplace: Any) -> None:
    workplace.wfe("run", "orders:Orders")
    listed = workplace.wfe("ls", "--json").stdout
    done = workplace.wfe("pause", "Orders", "--why", "carrier \x1b[31mdown")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "orders:Orders is paused: it starts no task until `wfe resume`\n"
    told = workplace.wfe("ls")
    assert "A-1" in told.stdout
    assert re.fullmatch(r"orders:Orders is paused by \S+@\S+ since \d\d:\d\d: carrier ␛\[31mdown\n", told.stderr)
    quiet = workplace.wfe("ls", "--json")
    assert (quiet.stdout, quiet.stderr) == (listed, "")
    again = workplace.wfe("pause", "orders:Orders")
    assert again.returncode == 1
    assert again.stderr.startswith("pause: refused: orders:Orders is paused by ")
    done = workplace.wfe("resume", "Orders")
    assert done.returncode == 0
    assert done.stderr.startswith("orders:Orders is resumed, it was paused by ")
    assert workplace.wfe("ls").stderr == ""
    again = workplace.wfe("resume", "Orders")
    assert (again.returncode, again.stderr) == (1, "resume: refused: orders:Orders is not paused\n")


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_processor_that_the_store_has_never_seen_is_told_with_those_that_it_has(workplace: Any, verb: str) -> None:
    workplace.wfe("run", "orders:Orders")
    sentence = refused(workplace.wfe(verb, "shop:Orders"))
    assert "'shop:Orders'" in sentence
    assert "orders:Orders" in sentence


# --- bad input: one clear sentence, exit code 2, nothing lost


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch:Orders", "'nosuch'"),
        ("nosuch.py:Orders", "nosuch.py"),
        ("orders:Nothing", "Orders"),
        ("orders:Order", "orders:Order"),
        ("orders:HERE", "orders:HERE"),
        ("orders", "MODULE:PROCESSOR"),
        (":", "MODULE:PROCESSOR"),
        ("orders:", "MODULE:PROCESSOR"),
        ("..orders:Orders", "..orders"),
    ],
)
def test_a_name_that_is_no_processor_is_told_with_what_would_be(workplace: Any, name: str, said: str) -> None:
    assert said in refused(workplace.wfe("run", name))
    assert not workplace.store.exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nosuch_library", "nosuch_library"),
        ("def broken(:\n", "broken.py"),
        ("raise ValueError('no licence')", "no licence"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("from engine import StoredProcessor\nclass P(StoredProcessor): pass", "get_tasks"),
        (
            "from engine import StoredProcessor\nclass P(StoredProcessor):\n"
            "  def get_default_entries(self): return []\n  def get_tasks(self): return []\n",
            "model",
        ),
        (
            "from engine import StoredProcessor\nclass P(StoredProcessor):\n"
            "  def __init__(self, customer): pass\n"
            "  def get_default_entries(self): return []\n  def get_tasks(self): return []\n",
            "customer",
        ),
        (
            "from engine import StoredProcessor, WorkflowModel\nclass M(WorkflowModel):\n  key: str\n"
            "class P(StoredProcessor):\n  model = M\n"
            "  def __init__(self, store=None, consider_date=None): raise KeyError('SHOP_TOKEN')\n"
            "  def get_default_entries(self): return []\n  def get_tasks(self): return []\n",
            "SHOP_TOKEN",
        ),
        (
            "from engine import StoredProcessor, WorkflowModel\nclass M(WorkflowModel):\n  key: str\n"
            "class P(StoredProcessor):\n  model = M\n"
            "  def get_default_entries(self): return open('orders.csv')\n  def get_tasks(self): return []\n",
            "orders.csv",
        ),
    ],
    ids=[
        "missing library", "syntax", "raises", "exits", "abstract", "no model", "constructor", "constructor raises",
        "entries raise",
    ],
)  # fmt: skip
def test_a_workflow_that_cannot_run_is_told_in_one_sentence(workplace: Any, code: str, said: str) -> None:
    (workplace.folder / "broken.py").write_text(code)
    assert said in refused(workplace.wfe("run", "broken:P"))


def test_entries_that_cannot_be_listed_leave_an_error_to_look_up(workplace: Any) -> None:
    (workplace.folder / "orders.txt").unlink()
    sentence = refused(workplace.wfe("run", "orders:Orders"))
    assert "orders.txt" in sentence
    error_id = sentence.split("wfe error ")[1].split("`")[0]
    assert "in get_default_entries" in workplace.wfe("error", error_id).stdout


@pytest.mark.parametrize(
    ("damage", "command"),
    [
        ("garbage", ["run", "orders:Orders"]),
        ("newer", ["run", "orders:Orders"]),
        ("foreign", ["run", "orders:Orders"]),
        ("folder", ["run", "orders:Orders"]),
        ("garbage", ["ls"]),
        ("newer", ["show", "A-1"]),
        ("garbage", ["repeat", "on", "A-1"]),
        ("newer", ["restart", "A-1"]),
    ],
)
def test_a_store_that_cannot_be_used_is_named_and_left_as_it_was(
    workplace: Any, damage: str, command: list[str]
) -> None:
    path = workplace.store
    if damage == "garbage":
        path.write_bytes(b"these are my orders\n" * 500)
    elif damage == "folder":
        path.mkdir()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE orders(x)" if damage == "foreign" else "CREATE TABLE docs(x)")
            connection.execute("CREATE TABLE gone(x)")
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    before = path.read_bytes() if path.is_file() else None
    sentence = refused(workplace.wfe(*command))
    assert str(path) in sentence
    assert (path.read_bytes() if path.is_file() else None) == before
    assert workplace.done == []


@pytest.mark.parametrize(
    "command",
    [
        ["ls"],
        ["show", "A-1"],
        ["error", "0000"],
        ["repeat", "on", "A-1"],
        ["restart", "A-1"],
        ["decide", "done", "A-1"],
        ["pause", "Orders"],
        ["resume", "Orders"],
    ],
)
def test_a_store_that_is_not_there_is_not_made_by_looking(workplace: Any, command: list[str]) -> None:
    assert str(workplace.store) in refused(workplace.wfe(*command))
    assert not workplace.store.exists()


def test_an_unknown_key_and_an_unknown_error_are_told(workplace: Any) -> None:
    workplace.wfe("run", "orders:Orders")
    assert "'A-77'" in refused(workplace.wfe("show", "A-77"))
    assert "'0000-1111'" in refused(workplace.wfe("error", "0000-1111"))


def test_a_consider_date_that_is_none_is_told_with_its_form(workplace: Any) -> None:
    sentence = refused(workplace.wfe("run", "orders:Orders", "--consider-date", "soon"))
    assert "'soon'" in sentence
    assert "14.03.2023" in sentence


@pytest.mark.parametrize(
    ("line", "said"),
    [("{'price': 3}", "key"), ("{'key': 'A-1'}", "'A-1'"), ("{'key': 'B', 'fate': {1, object()}}", "'B'")],
    ids=["no key", "second of a key", "not JSON"],
)
def test_an_entry_that_cannot_be_accepted_is_told_and_the_others_are_processed(
    workplace: Any, line: str, said: str
) -> None:
    source = (workplace.folder / "orders.py").read_text()
    head = "def get_default_entries(self):\n"
    source = source.replace("fate: str", "fate: object")
    source = source.replace(head, f"{head}        yield {{'key': 'A-1'}}\n        yield {line}\n")
    (workplace.folder / "orders.py").write_text(source)
    workplace.orders("A-2")
    done = workplace.wfe("run", "orders:Orders")
    assert said in refused(done)
    assert {key: row["state"] for key, row in workplace.ls().items()} == {"A-1": "finished", "A-2": "finished"}


def test_two_tasks_of_one_name_are_told_by_that_name(workplace: Any) -> None:
    file = workplace.folder / "orders.py"
    file.write_text(file.read_text().replace("[Fetch(self), Check(self)", "[Fetch(self), Fetch(self)"))
    assert "Fetch" in refused(workplace.wfe("run", "orders:Orders"))
    assert workplace.done == []


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["run", "orders:Orders", "--limit", "-1"],
        ["repeat", "maybe", "A-1"],
        ["restart"],
        ["decide", "maybe", "A-1"],
        ["decide", "done"],
        ["fly"],
    ],
)
def test_a_command_that_is_not_written_right_exits_2(workplace: Any, command: list[str]) -> None:
    done = workplace.wfe(*command)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_the_store_is_found_by_option_then_environment_then_folder_then_user_data(
    workplace: Any, tmp_path: Path
) -> None:
    def keys(*arguments: str, **environment: str) -> list[str]:
        done = workplace.wfe("ls", "--json", *arguments, **environment)
        return [json.loads(line)["key"] for line in done.stdout.splitlines()]

    data = tmp_path / "data"
    places = {
        "option": tmp_path / "option.db",
        "environment": tmp_path / "environment.db",
        "user": data / "wfe" / "wfe.db",
        "folder": workplace.folder / "wfe.db",
    }
    for name, place in places.items():
        workplace.orders(name)
        workplace.wfe("run", "orders:Orders", "--store", str(place))
    quiet = {"XDG_DATA_HOME": str(data), "WFE_STORE": ""}
    assert keys("--store", str(places["option"])) == ["option"]
    assert keys(WFE_STORE=str(places["environment"])) == ["environment"]
    assert keys(**quiet) == ["folder"]
    os.remove(places["folder"])  # noqa: PTH107
    assert keys(**quiet) == ["user"]


def test_actions_are_carried_out_whole_or_not_at_all(workplace: Any) -> None:
    for option in ("--dry-run", "--limit=1", "A-1"):
        done = workplace.wfe("run", "orders:Orders", "--actions", option)
        assert "--actions" in refused(done)
    assert workplace.done == []


PLAIN = """
from engine import Processor, Task, WorkflowModel


class Shout(Task):
    def process_entry(self, entry, dry_run=False):
        raise ValueError("\\x1b]0;title\\x07\\x1b[31mred")


class Plain(Processor):
    def get_default_entries(self):
        return [WorkflowModel()]

    def get_entry(self, selection):
        raise NotImplementedError

    def get_tasks(self):
        return [Shout(self)]

    def write_entry(self, entry, execution):
        pass

    def close(self):
        pass
"""


def test_the_log_of_a_workflow_without_a_store_is_shown_literally(workplace: Any) -> None:
    (workplace.folder / "plain.py").write_text(PLAIN)
    done = workplace.wfe("run", "plain:Plain")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "␛[31mred" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout


def test_a_workflow_started_as_a_module_of_a_package_can_be_restarted(workplace: Any) -> None:
    package = workplace.folder / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(workplace.folder / "orders.py", package / "orders.py")
    (package / "orders.txt").write_text("A-1 raise")
    subprocess.run([sys.executable, "-m", "pkg.orders"], cwd=workplace.folder, check=True)
    (package / "repaired").touch()
    done = workplace.wfe("restart", "A-1", "--store", str(package / "wfe.db"))
    assert done.returncode == 0, done.stdout + done.stderr
