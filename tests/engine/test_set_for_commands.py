"""Settings, from a real shell: what is set is what the commands do where they are not told otherwise."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest


def told(done: Any) -> str:
    """The one sentence of a command that could not run."""
    assert (done.returncode, done.stdout) == (2, ""), done
    (line,) = done.stderr.splitlines()
    return str(line).removeprefix("wfe: ")


def config(place: Any, **environment: str) -> dict[str, dict[str, Any]]:
    done = place.wfe("config", "--json", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return {row.pop("setting"): row for row in map(json.loads, done.stdout.splitlines())}


def test_config_shows_each_value_and_where_it_was_set(workplace: Any) -> None:
    file = workplace.folder / "wfe.toml"
    file.write_text('store = "orders.db"\nworkers = 8\nprotected = true\n')
    found = config(workplace, WFE_STORE="", WFE_GRACE="5")
    assert found == {
        "store": {"value": str(workplace.folder / "orders.db"), "source": "file", "place": f"{file}: store"},
        "processor": {"value": None, "source": "default", "place": None},
        "workers": {"value": 8, "source": "file", "place": f"{file}: workers"},
        "processes": {"value": None, "source": "default", "place": None},
        "dask": {"value": None, "source": "default", "place": None},
        "grace": {"value": 5.0, "source": "environment", "place": "WFE_GRACE"},
        "every": {"value": None, "source": "default", "place": None},
        "protected": {"value": True, "source": "file", "place": f"{file}: protected"},
    }
    lines = workplace.wfe("config", WFE_STORE="a\x1b[31m.db").stdout.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "FROM"]
    assert lines[1].split() == ["store", str(workplace.folder / "a␛[31m.db"), "environment", "WFE_STORE"]
    assert lines[6].split() == ["grace", "30.0", "default"]
    assert lines[8].split() == ["protected", "true", "file", f"{file}:", "protected"]


def test_config_needs_no_store_that_can_be_used(workplace: Any) -> None:
    workplace.store.write_text("no store")
    assert config(workplace)["store"]["value"] == str(workplace.store)


def test_settings_that_are_wrong_end_every_command_that_needs_them_and_no_other(workplace: Any) -> None:
    file = workplace.folder / "wfe.toml"
    file.write_text("wokers = 8\n")
    sentence = (
        f"{file}: there is no setting wokers; did you mean workers? There are store, processor, workers, processes, "
        "dask, grace, every, protected"
    )
    for words in (["config"], ["run", "orders:Orders"], ["ls"]):
        assert told(workplace.wfe(*words)) == sentence
    assert workplace.wfe("run", "--help").returncode == 0


def test_the_processor_that_is_set_is_run_and_words_are_keys_then(workplace: Any) -> None:
    (workplace.folder / "wfe.toml").write_text('processor = "orders:Orders"\n')
    done = workplace.wfe("run", "A-2")
    assert done.returncode == 0, done.stderr
    assert workplace.done == ["Fetch A-2", "Check A-2", "Send A-2"]
    assert workplace.wfe("run").returncode == 0
    assert workplace.done[3:] == ["Fetch A-1", "Check A-1", "Send A-1"]
    workplace.orders("A-3", "A-4")
    assert workplace.wfe("run", "orders.py:Orders", "A-4").returncode == 0
    assert workplace.done[6:] == ["Fetch A-4", "Check A-4", "Send A-4"]
    assert "no module 'nosuch'" in told(workplace.wfe("run", "nosuch:Orders"))


def test_without_one_it_has_to_be_named(workplace: Any) -> None:
    for command in ("run", "work"):
        assert told(workplace.wfe(command)) == (
            "no workflow is named: write MODULE:PROCESSOR, or set `processor` in wfe.toml"
        )
    assert "'A-1' names no processor" in told(workplace.wfe("run", "A-1"))


@pytest.mark.parametrize("module", ["orders", "./orders.py"])
def test_a_project_is_found_from_a_folder_below(workplace: Any, module: str) -> None:
    (workplace.folder / "pyproject.toml").write_text(
        f'[tool.wfe]\nprocessor = "{module}:Orders"\nstore = "project.db"\n'
    )
    below = type(workplace)(workplace.folder / "var" / "log")
    below.folder.mkdir(parents=True)
    done = below.wfe("run", WFE_STORE="")
    assert done.returncode == 0, done.stderr
    assert workplace.done[-1] == "Send A-2"
    assert (workplace.folder / "project.db").exists()
    assert [json.loads(line)["key"] for line in below.wfe("ls", "--json", WFE_STORE="").stdout.splitlines()] == [
        "A-1",
        "A-2",
    ]
    assert below.wfe("restart", "--from-start", "A-1", WFE_STORE="").returncode == 0


def test_what_executes_is_set_and_an_option_takes_its_place(workplace: Any) -> None:
    (workplace.folder / "wfe.toml").write_text('dask = "tcp://127.0.0.1:1"\n')
    assert "127.0.0.1:1" in told(workplace.wfe("run", "orders:Orders"))
    assert workplace.wfe("run", "orders:Orders", "--workers", "2").returncode == 0
    assert "--workers and --processes exclude each other" in told(
        workplace.wfe("run", "orders:Orders", "--workers", "2", "--processes", "2")
    )


def test_the_time_of_grace_is_set(slow: Any) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow", WFE_GRACE="0.2") as process:
        slow.wait_until_inside()
        process.send_signal(signal.SIGTERM)
        code, _, err = slow.ended(process)
    assert code == 143, err
    assert slow.ls()["A-1"]["state"] == "in doubt"


def test_how_often_a_worker_makes_a_run_is_set(workplace: Any, tmp_path: Path) -> None:
    with workplace.start("work", "orders:Orders", WFE_EVERY="1h") as process:
        assert process.stderr is not None
        while "Send A-2" not in workplace.done:
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert workplace.ended(process)[0] == 143
