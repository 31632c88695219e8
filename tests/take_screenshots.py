"""Takes the pictures in `screenshots/`: the real console on the real demo, driven as an operator would.

    .venv/bin/python tests/take_screenshots.py

It works in a folder of its own, which stands for the operator's home, so that no path of this machine is in a picture.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
HOME = Path(tempfile.gettempdir()) / "wfe-pictures"
WIDE, NARROW = (160, 48), (80, 24)

SHIPPING = '''
"""Orders to five countries; customs of one take parcels of one carrier alone."""

import random

from engine import StoredProcessor, Task, WorkflowModel


class Order(WorkflowModel):
    key: str
    country: str
    carrier: str
    weight: float
    lines: list[dict[str, str]]
    parcel: str | None = None


class Pack(Task):
    def process_entry(self, entry, dry_run=False):
        entry.parcel = f"P-{entry.key}"


class Ship(Task):
    def process_entry(self, entry, dry_run=False):
        if entry.country == "NO" and entry.carrier != "Bring":
            raise ValueError(f"customs are closed for {entry.key}")


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self):
        lot = random.Random(3)
        for number in range(600):
            lines = [{"sku": f"S-{lot.randrange(30)}"} for _ in range(2)]
            country, carrier = lot.choice(["DE", "FR", "NO", "IT", "PL"]), lot.choice(["DHL", "Bring", "UPS"])
            weight = round(lot.uniform(0.1, 31), 2)
            yield Order(key=f"A-{number}", country=country, carrier=carrier, weight=weight, lines=lines)

    def get_tasks(self):
        return [Pack(self), Ship(self)]
'''

BOOKING = '''
"""Parcels to be booked with a carrier, which does not answer at first; later it does, but not for all."""

from pathlib import Path

from engine import RepeatAfterTime, Status, StatusException, StoredProcessor, Task, WorkflowModel


class Parcel(WorkflowModel):
    key: str
    number: int


class Pack(Task):
    def process_entry(self, entry, dry_run=False):
        pass


class Book(Task):
    def process_entry(self, entry, dry_run=False):
        if not Path("answers").exists() or entry.number % 5 == 0:
            raise ConnectionError("the carrier does not answer")
        if entry.number == 7:
            raise LookupError("no tariff for Jersey")
        if entry.number == 8:
            raise StatusException(Status(message="customs are asked", repeat=RepeatAfterTime(hours=1)))


class Parcels(StoredProcessor):
    model = Parcel

    def get_default_entries(self):
        return [Parcel(key=f"P-{number:02}", number=number) for number in range(1, 13)]

    def get_tasks(self):
        return [Pack(self), Book(self)]
'''


def main() -> None:
    """Copy the project into the folder, and go on there."""
    shutil.rmtree(HOME, ignore_errors=True)
    for package in ("engine", "wfe_tui"):
        shutil.copytree(PROJECT / package, HOME / "wfe" / package)
    environment = {
        **os.environ,
        "HOME": str(HOME),
        "PYTHONPATH": str(HOME / "wfe"),
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
    }
    environment.pop("XDG_DATA_HOME", None)
    subprocess.run([sys.executable, __file__, "pictures"], cwd=HOME / "wfe", env=environment, check=True)
    shutil.rmtree(HOME)


async def pictures() -> None:
    """One walk through the demo at each size: a run, its errors, a trace, a repair, a restart."""
    await _walk(WIDE, "")
    await _walk(NARROW, "-80x24")
    await _share(WIDE, "")
    await _share(NARROW, "-80x24")
    await _acts(WIDE, "")
    await _acts(NARROW, "-80x24")


async def _share(size: tuple[int, int], suffix: str) -> None:
    """What failing orders share: a store that a run of a workflow of its own has left."""
    from wfe_tui.__main__ import make_app
    from wfe_tui.app import Settings
    from wfe_tui.routes import Route

    (HOME / "shipping.py").write_text(SHIPPING)
    store = HOME / "shipping.db"
    command = [sys.executable, "-m", "engine", "run", "shipping:Orders", "--store", str(store)]
    subprocess.run(command, cwd=HOME, check=False, capture_output=True)  # its exit code says that orders failed
    app = make_app(Settings(store, route=Route("share")))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause(2)
        await pilot.press("down")
        await pilot.pause(0.5)
        app.save_screenshot(f"share{suffix}.svg", str(PROJECT / "screenshots"))


async def _acts(size: tuple[int, int], suffix: str) -> None:
    """A canary that stops and is abandoned, and a restart after which there is every verdict."""
    from engine.operations import hold
    from engine.store import Store
    from wfe_tui.__main__ import make_app
    from wfe_tui.app import Settings
    from wfe_tui.routes import Route

    folder = HOME / f"booking{suffix}"
    folder.mkdir()
    (folder / "booking.py").write_text(BOOKING)
    store = folder / "parcels.db"
    command = [sys.executable, "-m", "engine", "run", "booking:Parcels", "--store", str(store)]
    subprocess.run(command, cwd=folder, check=False, capture_output=True)  # its exit code says that parcels failed
    app = make_app(Settings(store, route=Route("errors")))

    def take(name: str) -> None:
        app.save_screenshot(f"{name}{suffix}.svg", str(PROJECT / "screenshots"))

    async with app.run_test(size=size, notifications=True) as pilot:

        async def carried_out() -> None:
            await pilot.pause(1)
            while any(child.runs for child in app.engines.processes):
                await pilot.pause(0.1)
            await pilot.pause(1)

        await pilot.pause(1)
        await pilot.press("C")
        await pilot.pause(1)
        take("canary")
        await pilot.press("y")
        await carried_out()
        await pilot.press("4")
        await pilot.pause(1)
        await pilot.press("X", *"w", *"the carrier is still down", "enter")
        await pilot.pause(1)
        (folder / "answers").touch()
        await pilot.press("2")
        await pilot.pause(1)
        await pilot.press("R")
        await pilot.pause(1)
        with Store(store) as other:
            hold(["P-03"], store=other, who="anna@desk", why="the customer is on the phone")
        await pilot.press("w", *"the carrier is back", "enter")
        await carried_out()
        await pilot.press("4")
        await pilot.pause(1)
        app.clear_notifications()
        await pilot.pause(0.5)
        take("actions")
        await pilot.press("g", "enter")
        await pilot.pause(1)
        take("action")


async def _walk(size: tuple[int, int], suffix: str) -> None:
    from textual.pilot import Pilot
    from tinydb import where

    from engine.clock import utc_now
    from engine.groups import error_groups
    from engine.operations import Hold, act, note, resolve, snooze
    from engine.store import Store
    from wfe_tui.__main__ import make_app
    from wfe_tui.app import Settings
    from wfe_tui.demo import demo_store

    shutil.rmtree(demo_store().parent, ignore_errors=True)
    app = make_app(Settings(demo_store(), demo=True))

    def take(name: str) -> None:
        app.save_screenshot(f"{name}{suffix}.svg", str(PROJECT / "screenshots"))

    async def until(pilot: Pilot[None], happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not happened():
            if time.monotonic() > deadline:
                raise SystemExit("the demo did not come to the point that is to be pictured")
            await pilot.pause(0.02)

    def count(state: str) -> int:
        return app.store.entries.counts("state").get(state, 0)

    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: hasattr(app, "store") and count("finished") >= 12)
        take("running")
        await until(pilot, lambda: not any(child.runs for child in app.engines.processes))
        await pilot.press("down")
        await pilot.pause(0.5)
        take("entries")
        soon, late, last = [group.fingerprint for group in error_groups(app.store, app.clock())][:3]
        said: dict[str, Any] = {"store": app.store, "who": "anna@desk"}
        resolve([late], why="the mirror is up again", **said)
        snooze([last], more=10, why="known, the vendor is told", **said)
        note(soon, "asked the vendor for a new wheel", **said)
        for name, keys in (
            ("entry", ["enter"]),
            ("trace", ["escape", "e"]),
            ("compare", ["escape", "equals_sign"]),
            ("errors", ["2"]),
            ("run", ["3", "enter"]),
            ("help", ["1", "f", "question_mark"]),
        ):
            await pilot.press(*keys)
            await pilot.pause(1)
            take(name)
        await pilot.press("escape")
        folder = demo_store().parent / "broken" / "missing_file-1.0"
        subprocess.run((folder / "REPAIR").read_text(), shell=True, cwd=folder, check=True)
        before, night = count("finished"), utc_now()
        await pilot.press("R")
        await pilot.pause(1)
        take("confirm")
        await pilot.press("y")
        await until(
            pilot, lambda: count("finished") > before and not any(child.runs for child in app.engines.processes)
        )
        await pilot.press("escape")
        await pilot.pause(0.5)
        take("restarted")
        failed = app.store.entries.get(where("state") == "failed")
        colleague = {**os.environ, "USER": "anna", "LOGNAME": "anna", "WFE_STORE": str(demo_store())}
        hold = ["hold", failed["key"], "--why", "asked the vendor for a new wheel"]
        subprocess.run([sys.executable, "-m", "engine", *hold], env=colleague, check=True)
        await pilot.press("b")
        await pilot.pause(1)
        take("report")
        await pilot.press("1", "space", "space", "space", "space", "k", "k", "k")
        with Store(app.store.path) as other:
            left = [row["key"] for row in other.entries.search(where("state") == "failed")]
            act(Hold(), left[:2], store=other, who="bob@desk", why="the mirror is being repaired")
        await until(pilot, lambda: len(app._notifications) > 0)
        await pilot.pause(0.5)
        take("two-operators")
        await pilot.press("minus", "t")
        await pilot.pause(1)
        await pilot.press(*night.isoformat(), "enter")
        await until(pilot, lambda: app.past is not None)
        await pilot.press("f")  # behind the dialog no key is to be cut to another word
        await pilot.pause(1)
        await pilot.press("t")
        await pilot.pause(1)
        take("past")


if __name__ == "__main__":
    if sys.argv[1:] == ["pictures"]:
        asyncio.run(pictures())
    else:
        main()
