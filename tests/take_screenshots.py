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

PROJECT = Path(__file__).resolve().parent.parent
HOME = Path(tempfile.gettempdir()) / "wfe-pictures"
WIDE, NARROW = (160, 48), (80, 24)


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


async def _walk(size: tuple[int, int], suffix: str) -> None:
    from textual.pilot import Pilot

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
        await until(pilot, lambda: not any(child.runs for child in app.processes))
        await pilot.press("down")
        await pilot.pause(0.5)
        take("entries")
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
        before = count("finished")
        await pilot.press("R")
        await pilot.pause(1)
        take("confirm")
        await pilot.press("y")
        await until(pilot, lambda: count("finished") > before and not any(child.runs for child in app.processes))
        await pilot.press("escape")
        await pilot.pause(0.5)
        take("restarted")
        await pilot.press("4")
        await pilot.pause(1)
        take("actions")


if __name__ == "__main__":
    if sys.argv[1:] == ["pictures"]:
        asyncio.run(pictures())
    else:
        main()
