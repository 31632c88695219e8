"""What a user can set: keys, theme, protected stores; a terminal without colours, or with ASCII alone."""

from pathlib import Path
from typing import Any

import pytest

from engine.exceptions import InputError
from wfe_tui.actions import ACTIONS, binding_id, key_table
from wfe_tui.config import Config, read_config
from wfe_tui.drawing import to_ascii
from wfe_tui.widgets.states import GLYPHS

README = Path(__file__).parents[2] / "README.md"


def config(path: Path, text: str) -> Config:
    path.write_text(text)
    return read_config(path)


def test_settings_are_read_from_a_file_that_need_not_be_there(tmp_path: Path) -> None:
    assert read_config(tmp_path / "console.toml") == Config()
    found = config(
        tmp_path / "console.toml", 'theme = "nord"\nprotected = ["/srv/*"]\n[keys]\n"entries.restart" = "f5"\n'
    )
    assert (found.theme, found.keys) == ("nord", {"entries.restart": "f5"})
    assert found.protects(Path("/srv/orders.db"))
    assert not found.protects(Path("/home/orders.db"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("theme = ", "are not TOML"),
        ("colour = 1", "are wrong: colour: Extra inputs are not permitted"),
        ("ascii = 7", "are wrong: ascii"),
        (
            '[keys]\n"entries.fly" = "f5"',
            "there is no action 'entries.fly' to give a key to; there are entries",
        ),
    ],
)
def test_settings_that_are_wrong_are_refused_with_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        config(tmp_path / "console.toml", text)


async def test_a_key_of_the_users_own_does_what_the_other_did(console: Any, place: Any) -> None:
    keys = {"entries.restart": "f5", "entries.next_failure": "gf", "table.cursor_down": "n"}
    async with console(place.store, size=(120, 30), config=Config(keys=keys)) as operator:
        await operator.go_to("A-1")
        await operator.press("n")
        await operator.until(lambda: operator.entries.row_at_cursor().key == "A-2")
        await operator.press("f5")
        await operator.sees("Restart: 1 entry?")
        await operator.press("n", "R")
        await operator.press("question_mark")
        await operator.sees("f5", "restart: Execute again now")


def test_every_action_has_a_name_of_its_own_and_a_sentence() -> None:
    names = [binding_id(screen, action) for screen, actions in ACTIONS.items() for action in actions]
    assert len(set(names)) == len(names)
    assert all(action.help.endswith(".") for actions in ACTIONS.values() for action in actions)


@pytest.mark.parametrize("screen", sorted(set(ACTIONS) - {"table", "everywhere", "welcome"}))
def test_no_key_of_a_screen_means_two_things(screen: str) -> None:
    keys = [key for action in ACTIONS[screen] for key in action.key.split(",")]
    assert len(set(keys)) == len(keys)


def test_readme_has_the_keys_from_the_one_table_of_them() -> None:
    readme, table = README.read_text(), key_table()
    assert [line for line in table.splitlines() if f"{line}\n" not in readme] == [], "README is to have these lines"
    assert table in readme, "they stand in another order in README"


# --- how it is drawn


def test_ascii_alone_is_as_wide_and_tells_the_states_apart() -> None:
    text = "✗ failed ━━━━ 1/3 │ ▁▂▃█ … 表 é"
    drawn = to_ascii(text)
    assert drawn.isascii()
    assert len(drawn) == len(text) + 1  # 表 is two cells wide
    assert len({to_ascii(glyph) for glyph in GLYPHS.values()}) == len(GLYPHS)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_with_ascii_every_screen_is_drawn_with_it_alone(console: Any, place: Any, size: tuple[int, int]) -> None:
    async with console(place.store, size=size, config=Config(ascii=True)) as operator:
        for keys, text in (
            ((), "x 3 failed"), (("enter",), "wfe  entries/"), (("2",), "1 cause"), (("enter",), "seen 3"),
            (("enter",), "raise ValueError"), (("3",), "completed"), (("enter",), "median"),
            (("question_mark",), "Keys"),
        ):  # fmt: skip
            await operator.press(*keys)
            await operator.until(lambda text=text: text in drawn(operator))
            assert drawn(operator).isascii(), [letter for letter in drawn(operator) if not letter.isascii()]


def drawn(operator: Any) -> str:
    """What goes to the terminal: behind the last of the filters."""
    from textual.color import Color

    [ascii_] = [each for each in operator.app.get_line_filters() if type(each).__name__ == "Ascii"]
    strips = operator.app.screen._compositor.render_strips()
    return "\n".join("".join(s.text for s in ascii_.apply(list(strip), Color(0, 0, 0))) for strip in strips)
