"""`wfe completion`: the script with which a shell completes, and what it is answered.

The shell hands over the line up to the cursor in the environment variable `_WFE_COMPLETE`, and gets a word a line that
may stand in place of the last one. The scripts do the rest, as their shells quote and cut words.
"""

import shlex
import sys
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

import typer

VARIABLE = "_WFE_COMPLETE"


class Shell(StrEnum):
    """A shell that completes."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


SCRIPTS = {
    # What stands before the last colon or equals sign of a word is kept by bash, which takes these for ends of words.
    Shell.BASH: r"""_wfe_complete() {
    local line="${COMP_LINE:0:COMP_POINT}" quoted="" kept="" found word
    word="${line##*[!\\][[:space:]]}"
    [[ "${COMP_WORDS[COMP_CWORD]}" == [\"\']* ]] && quoted=1
    [[ -z "$quoted" && "$word" == *[:=]* ]] && kept="${word%"${word##*[:=]}"}"
    COMPREPLY=()
    while IFS= read -r found; do
        [[ "$found" == *: ]] && compopt -o nospace
        [[ "$quoted" ]] || printf -v found '%q' "$found"
        COMPREPLY+=("${found#"$kept"}")
    done < <(_WFE_COMPLETE="$line" wfe 2>/dev/null)
}
complete -o bashdefault -o default -F _wfe_complete wfe
""",
    Shell.ZSH: r"""#compdef wfe
_wfe_complete() {
    local -a found
    found=("${(@f)$(_WFE_COMPLETE="${(j: :)words[1,CURRENT-1]} ${(q)${(Q)PREFIX}}" wfe 2>/dev/null)}")
    found=(${found:#})
    (( $#found )) || { compset -P '--*='; _files; return }
    compadd -S '' -- ${(M)found:#*:}
    compadd -- ${found:#*:}
}
compdef _wfe_complete wfe
""",
    Shell.FISH: r"""function __wfe_complete
    set -l found (env _WFE_COMPLETE=(commandline -cp | string collect) wfe 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command wfe --no-files --arguments '(__wfe_complete)'
""",
}


def completion(shell: Annotated[Shell, typer.Argument(help="The shell that is to complete.")]) -> None:
    """Print the script with which a shell completes commands, options, keys, ids and filters."""
    sys.stdout.write(SCRIPTS[shell])


def answer(command: Any, line: str, names: list[str]) -> None:
    """Print what may stand in place of the last word of a line; nothing where that is anybody's guess.

    Args:
        command: the group of commands.
        line: as it was typed, up to the cursor; it may end within quotes.
        names: those of the commands.
    """
    with suppress(Exception):  # nobody has asked for anything yet: there is nobody to be told
        *words, word = _split(line)[1:]
        for found in _found(command, words, word, names):
            if found.isprintable():
                sys.stdout.write(f"{found}\n")


def _found(command: Any, words: list[str], word: str, names: list[str]) -> list[str]:
    if not words and not word.startswith("-"):
        return [name for name in names if name.startswith(word)]  # without importing what is behind each
    from typer._completion_classes import FishComplete  # the one door to what the parameters of a command complete

    found = FishComplete(command, {}, "wfe", VARIABLE).get_completions(words, word)
    before = word[: word.index("=") + 1] if word.startswith("--") and "=" in word else ""
    return [before + item.value for item in found]


def _split(line: str) -> list[str]:
    """The words of a line as a shell sees them, the last one as far as it is typed, which may be empty."""
    end = "\0"  # it stands for the cursor, so that a word that has not begun yet is one, too
    reader = shlex.shlex(line + end, posix=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    try:
        words += reader
    except ValueError:  # within quotes that are not closed yet, or behind a backslash
        words.append(reader.token)
    return [word.removesuffix(end) for word in words]
