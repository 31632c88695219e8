"""Text for people. What comes from outside (entry data, exception messages) is made literal: what cannot be seen, or
would command the terminal, becomes a symbol that can be seen. Nothing is lost and nothing is obeyed."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

_TAB = 4

# Controls, lone surrogates, line separators, and what Unicode calls "default ignorable": bidi marks, overrides and
# isolates, zero-width characters, fillers, variation selectors, tags. A variation selector is harmless, but terminals
# disagree on the width it gives, and two keys that differ only in one must not look the same.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U00013455\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def literal(text: str, *, lines: bool = False) -> str:
    """The text as it may be drawn: every invisible or commanding character as a visible symbol.

    C0 controls and DEL become Unicode's control pictures (ESC is `␛`, a newline `␊`), all else its code point
    (`«U+202E»`). The answer is plain text, never markup: draw it with `Content(...)` or `Text(...)`.

    Args:
        text: anything, as it came from outside.
        lines: keep the line breaks (`\\r\\n` becomes `\\n`) and widen tabs to four columns, for a text that is shown
            on lines of its own; otherwise the answer is one line.
    """
    if not _UNSEEN.search(text):
        return text
    if not lines:
        return _UNSEEN.sub(_symbol, text)
    kept = text.replace("\r\n", "\n").split("\n")
    return "\n".join(_UNSEEN.sub(_symbol, line.expandtabs(_TAB)) for line in kept)


def encodable(text: str) -> str:
    """The text with its lone surrogates, as in the name of a file that is not UTF-8, escaped: JSON has none."""
    return text.encode(errors="backslashreplace").decode()


def _symbol(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"«U+{code:04X}»"


def shell_path(path: Path) -> str:
    """A path as it is typed into a shell: quoted, the user's home folder as `~`."""
    home = Path.home()
    return f"~/{shlex.quote(str(path.relative_to(home)))}" if path.is_relative_to(home) else shlex.quote(str(path))


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 run`, `2 runs`; the plural where an s does not make it."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """A share from 0 to 1 for people: `12%`; what is not nothing is no `0%`, and what is not all no `100%`."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def spark(numbers: Sequence[float]) -> str:
    """A bar for each number, the greatest as high as a line; what is not nothing is seen."""
    most = max(numbers, default=0)
    if not most:
        return " " * len(numbers)
    return "".join(_BARS[max(1, round(number / most * 8))] if number else " " for number in numbers)


_BARS = " ▁▂▃▄▅▆▇█"


def short_path(path: str | Path) -> str:
    """A path with the user's home folder as `~`, literal."""
    place, home = Path(path), Path.home()
    return literal(f"~/{place.relative_to(home)}" if place.is_relative_to(home) else str(path))
