"""What a project has set counts where the command line says nothing; what cannot be understood is told."""

from pathlib import Path

import pytest

from engine.exceptions import InputError
from engine.settings import KINDS, Origin, Settings, read_settings, variable
from engine.store import store_path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings, two levels deep, in which we stand."""
    folder = tmp_path / "project" / "night"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in KINDS:
        monkeypatch.delenv(variable(name), raising=False)
    return folder


def test_nothing_need_be_set(project: Path) -> None:
    assert read_settings() == Settings()


def test_a_file_sets_each_of_them(project: Path) -> None:
    file = project / "wfe.toml"
    file.write_text(
        'store = "orders.db"\nprocessor = "orders:Orders"\nworkers = 8\ngrace = 60\nevery = "10m"\nprotected = true\n'
    )
    found = read_settings()
    assert found.store == project / "orders.db"
    assert (found.processor, found.workers, found.grace, found.every) == ("orders:Orders", 8, 60, "10m")
    assert found.protected
    assert found.folder == project
    assert found.origins["workers"] == Origin("file", f"{file}: workers")


def test_the_environment_goes_before_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "wfe.toml").write_text("grace = 60\nworkers = 8\n")
    monkeypatch.setenv("WFE_GRACE", "1.5")
    monkeypatch.setenv("WFE_PROTECTED", "true")
    monkeypatch.setenv("WFE_EVERY", "")
    found = read_settings()
    assert (found.grace, found.workers, found.protected, found.every) == (1.5, 8, True, None)
    assert found.origins["grace"] == Origin("environment", "WFE_GRACE")


def test_the_nearest_folder_counts_alone_and_in_one_folder_our_own_file(project: Path) -> None:
    above = project.parent
    (above / "pyproject.toml").write_text('[project]\nname = "shop"\n[tool.wfe]\nworkers = 3\ngrace = 5\n')
    (project / "pyproject.toml").write_text("[tool.other]\nworkers = 1\n")
    found = read_settings()
    assert (found.workers, found.folder) == (3, above)
    assert found.origins["workers"].place == f"{above / 'pyproject.toml'}: tool.wfe.workers"
    (above / "wfe.toml").write_text("workers = 4\n")
    assert (read_settings().workers, read_settings().grace) == (4, 30)
    (project / "pyproject.toml").write_text("[tool.wfe]\n")
    assert read_settings() == Settings(folder=project)


def test_a_path_starts_where_it_is_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.parent / "wfe.toml").write_text('store = "var/orders.db"\nprocessor = "jobs/orders.py:Orders"\n')
    found = read_settings()
    assert found.store == project.parent / "var" / "orders.db"
    assert found.processor == f"{project.parent / 'jobs' / 'orders.py'}:Orders"
    monkeypatch.setenv("WFE_STORE", "here.db")
    assert read_settings().store == project / "here.db"
    (project.parent / "wfe.toml").write_text('store = "~/orders.db"\nprocessor = "orders:Orders"\n')
    monkeypatch.delenv("WFE_STORE")
    assert (read_settings().store, read_settings().processor) == (Path.home() / "orders.db", "orders:Orders")


def test_the_store_is_the_one_that_was_asked_for_else_the_one_that_is_set_else_the_one_here(project: Path) -> None:
    (project / "wfe.db").touch()
    assert store_path(None) == project / "wfe.db"
    (project / "wfe.toml").write_text('store = "orders.db"')
    assert store_path(None) == project / "orders.db"
    assert store_path("asked.db") == project / "asked.db"


def test_what_executes_is_set_in_one_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "wfe.toml").write_text("workers = 8\n")
    monkeypatch.setenv("WFE_PROCESSES", "2")
    found = read_settings()
    assert (found.workers, found.processes) == (None, 2)
    monkeypatch.setenv("WFE_DASK", "tcp://scheduler:8786")
    with pytest.raises(InputError, match="WFE_PROCESSES and WFE_DASK exclude each other"):
        read_settings()


WRONG = [
    ("worker = 8", "there is no setting worker; did you mean workers\\? There are store, processor, workers"),
    ("[other]\nworkers = 8", "there is no setting other; there are store"),
    ('workers = "8"', "wfe.toml: workers is '8': it has to be a whole number from 1"),
    ("workers = 0", "wfe.toml: workers is 0: it has to be a whole number from 1"),
    ("workers = true", "wfe.toml: workers is True: it has to be a whole number from 1"),
    ("grace = -1", "wfe.toml: grace is -1: it has to be seconds, from 0 to 86400"),
    ("grace = nan", "grace is nan"),
    ("every = 10", "every is 10: it has to be a time, as 10m"),
    ('every = "0m"', "every is '0m'"),
    ('every = "soon"', "every is 'soon'"),
    ('processor = "orders"', "processor is 'orders': it has to be MODULE:PROCESSOR"),
    ('processor = ":Orders"', "processor is ':Orders'"),
    ("store = 1", "store is 1: it has to be a path"),
    ('store = ""', "store is ''"),
    ('protected = "yes"', "protected is 'yes': it has to be true or false"),
    ("workers = 1\nprocesses = 1", "workers and .*wfe.toml: processes exclude each other: set one of them"),
    ("workers = ", "wfe.toml are not TOML .*: repair it"),
    ("workers = 1\nworkers = 2", "are not TOML"),
    ("a = " + "[" * 5_000, "are not TOML"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_what_is_no_setting_is_refused_in_one_sentence(project: Path, text: str, sentence: str) -> None:
    (project / "wfe.toml").write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        read_settings()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("WFE_WORKERS", "four", "WFE_WORKERS is 'four': it has to be a whole number from 1"),
        ("WFE_GRACE", "inf", "WFE_GRACE is 'inf'"),
        ("WFE_PROTECTED", "1", "WFE_PROTECTED is '1': it has to be true or false"),
    ],
)
def test_so_is_a_variable(project: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, sentence: str) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(InputError, match=sentence):
        read_settings()


def test_a_file_that_cannot_be_read_is_said_to_be_so(project: Path) -> None:
    (project / "wfe.toml").mkdir()
    with pytest.raises(InputError, match=r"the settings .*wfe.toml cannot be read"):
        read_settings()
    (project / "wfe.toml").rmdir()
    (project / "wfe.toml").write_bytes(b"store = '\xff'")
    with pytest.raises(InputError, match="are not TOML"):
        read_settings()


@pytest.mark.parametrize("text", [b"[project\n", b"name = '\xff'", b"[tool]\nother = 1\n"])
def test_a_project_file_that_does_not_name_us_is_none_of_our_business(project: Path, text: bytes) -> None:
    (project / "pyproject.toml").write_bytes(text)
    assert read_settings() == Settings()


def test_a_table_of_ours_that_is_none_is_refused(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool]\nwfe = 1\n")
    with pytest.raises(InputError, match=r"tool.wfe is no table: write \[tool.wfe\]"):
        read_settings()


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert [name for name in KINDS if f"| `{name}` | `{variable(name)}` |" not in readme] == []
