"""The values of local variables that are kept with an error: only if asked for, short, and without secrets."""

from collections import ChainMap, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from engine import Store, StoredProcessor, Task, WorkflowModel
from engine.local_values import MASK, MAX_CHARACTERS, MAX_NAMES, shown_locals

SECRET = "hunter2"


class Customer(BaseModel):
    name: str = "Anna"
    password: str = SECRET
    pin: str = Field(SECRET, repr=False)
    more: Any = None


@dataclass
class Account:
    user: str = "anna"
    api_key: str = SECRET
    pin: str = field(default=SECRET, repr=False)


class Login(NamedTuple):
    user: str = "anna"
    passwd: str = SECRET


class Connection:
    def __repr__(self) -> str:
        return f"<Connection host='db' password='{SECRET}' port=1>"


class Discreet(SimpleNamespace):
    def __repr__(self) -> str:
        return "<nothing to see>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, "7"),
        (["a", b"b", None], "['a', b'b', None]"),
        ({"name": "Anna", "Token": SECRET}, "{'name': 'Anna', 'Token': ••••}"),
        ({"a": [{"b": ({"X-Api-Key": SECRET},)}]}, "{'a': [{'b': ({'X-Api-Key': ••••})}]}"),
        (OrderedDict(credentials={"user": SECRET}), "{'credentials': ••••}"),
        (ChainMap({b"Cookie": SECRET}), "{b'Cookie': ••••}"),
        ([("Authorization", SECRET), ["session", SECRET], ("a", "b")],
         "[('Authorization', ••••), ['session', ••••], ('a', 'b')]"),
        (deque([{"secret": SECRET}]), "deque([{'secret': ••••}])"),
        (Customer(more={"passwd": SECRET}), "Customer(name='Anna', password=••••, more={'passwd': ••••})"),
        (Account(), "Account(user='anna', api_key=••••)"),
        (Login(), "Login(user='anna', passwd=••••)"),
        (SimpleNamespace(a=1, token=SECRET), "SimpleNamespace(a=1, token=••••)"),
        (Connection(), "<Connection host='db' password=•••• port=1>"),
        (Discreet(plan=SECRET), "<nothing to see>"),
        (f"https://anna:{SECRET}@host/?a=1&token={SECRET}&b=2", "'https://anna:••••@host/?a=1&token=••••&b=2'"),
        (f'{{"password": "{SECRET}", "b": 1}}', "'{\"password\": ••••, \"b\": 1}'"),
        (f"Authorization: Bearer {SECRET}", "'Authorization: ••••"),
        ({"note": f"password = {SECRET} and more"}, "{'note': 'password = ••••}"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_python_would_but_for_what_is_secret_by_its_name(value: Any, shown: str) -> None:
    assert shown_locals({"value": value}) == {"value": shown}


def test_a_variable_that_is_secret_by_its_name_is_not_shown_at_all() -> None:
    names = ["password", "db_passwd", "SECRET", "accessToken", "apikey", "API_KEY", "authorization", "credentials",
             "cookies", "session"]  # fmt: skip
    assert shown_locals(dict.fromkeys(names, SECRET)) == dict.fromkeys(names, MASK)


class Broken:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error


def test_a_value_whose_repr_raises_is_told_to_do_so() -> None:
    values = {"bad": [1, Broken(ValueError())], "worse": Broken(SystemExit()), "good": 1}
    assert shown_locals(values) == {
        "bad": "<its repr raised ValueError>",
        "worse": "<its repr raised SystemExit>",
        "good": "1",
    }


def test_however_great_a_value_is_its_text_is_short() -> None:
    endless: list[Any] = []
    endless.append(endless)
    great = {"text": "x" * 10**7, "list": list(range(10**6)), "deep": endless, "number": 10**5000, "__name__": "m"}
    shown = shown_locals(great)
    assert set(shown) == {"text", "list", "deep", "number"}
    assert all(len(text) <= MAX_CHARACTERS for text in shown.values())
    assert shown["list"].startswith("[0, 1, 2, ")
    assert len(shown_locals({f"name{number}": number for number in range(100)})) == MAX_NAMES


@given(
    st.recursive(
        st.none() | st.text(st.characters()) | st.binary(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_whatever_a_variable_holds_its_text_is_json(value: Any) -> None:
    assert orjson.dumps(shown_locals({"value": value}))


@given(
    st.text(st.characters(codec="ascii"), max_size=MAX_CHARACTERS),
    st.sampled_from(["token=", "'password': ", "secret:"]),
)
def test_a_secret_is_not_shown_however_long_the_text_before_it_is(before: str, name: str) -> None:
    for value in (before + name + SECRET, {"a": [before], "b": before + name + SECRET}):
        assert "hunter" not in shown_locals({"value": value})["value"]


# --- in a run


class Order(WorkflowModel):
    key: str
    token: str = SECRET


class Check(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        customers = {"A-0": "Anna"}
        raise ValueError(customers[entry.key])


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self) -> list[Any]:
        return [{"key": "A-1"}]

    def get_tasks(self) -> list[Task]:
        return [Check(self)]


class Telling(Orders):
    keep_locals = True

    def filter(self, entry: Any) -> bool:
        if entry.key == "A-2":
            raise ValueError("no filter")
        return super().filter(entry)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


def test_no_values_are_kept_unless_the_processor_asks_for_them(store: Store) -> None:
    Orders(store).process_entries()
    (record,) = store.errors.all()
    assert all("locals" not in frame for frame in record["frames"])


def test_a_processor_that_asks_for_them_has_the_values_in_the_users_own_frames(store: Store) -> None:
    Telling(store).process_entries()
    Telling(store).process_entries([{"key": "A-2"}])
    in_task, outside = store.errors.all()
    values = in_task["frames"][-1]["locals"]
    assert values["customers"] == "{'A-0': 'Anna'}"
    assert "key='A-1'" in values["entry"]
    assert values["dry_run"] == "False"
    assert "A-2" in outside["frames"][-1]["locals"]["entry"]
    assert SECRET not in orjson.dumps([in_task, outside]).decode()


def test_values_come_back_from_worker_processes(workplace: Any) -> None:
    workplace.extend("\n\nclass Telling(Orders):\n    keep_locals = True\n")
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Telling", "--processes", "1")
    with Store(workplace.store) as opened:
        (record,) = opened.errors.all()
    assert "fate='raise'" in record["frames"][-1]["locals"]["entry"]
