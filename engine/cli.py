"""`wfe`: runs workflows, and every operator's verb from a shell.

Results go to standard output, people's words to standard error. Exit code 0: nothing failed; 1: entries failed, were
interrupted, or refused an act, or nobody agreed to it; 2: the command could not run, or not print its result, or was
given an option, an entry or a filter that it cannot accept; 130: stopped by SIGINT (ctrl+c); 141: nobody read on what
it printed; 143: stopped by SIGTERM.
"""

import os
import re
import signal
import sys
from contextlib import suppress
from difflib import get_close_matches
from errno import EDQUOT, ENOSPC, EPIPE
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from engine.commands.printing import refusal
from engine.exceptions import EngineError

COMMANDS = {
    "ls": "entries:ls",
    "show": "entries:show",
    "plan": "plan:plan",
    "runs": "runs:runs",
    "watch": "watch:watch",
    "report": "report:report",
    "error": "errors:error",
    "share": "contrasting:share",
    "compare": "contrasting:compare",
    "run": "running:run",
    "work": "running:work",
    "repeat": "verbs:repeat",
    "restart": "verbs:restart",
    "skip": "verbs:skip",
    "hold": "verbs:hold",
    "release": "verbs:release",
    "cancel": "verbs:cancel",
    "decide": "verbs:decide",
    "pause": "verbs:pause",
    "resume": "verbs:resume",
    "stop": "verbs:stop",
    "drain": "verbs:drain",
    "undo": "actions:undo",
    "errors": "errors:errors",
    "resolve": "triage:resolve",
    "snooze": "triage:snooze",
    "note": "triage:note",
    "export": "upkeep:export",
    "import": "upkeep:import_",
    "backup": "upkeep:backup",
    "prune": "upkeep:prune",
    "check": "upkeep:check",
    "metrics": "metrics:metrics",
    "actions": "actions:actions",
    "config": "config:config",
    "completion": "completion:completion",
}
"""Each command, in the order of the help, and the function of `engine.commands` that it is."""


_CLAUSE = re.compile(r"[.,:;](?:\s|$)| \(")


class _Commands(TyperGroup):
    """The commands; the module of one is imported when that one is called, or when the help lists it."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module, _, function = COMMANDS[cmd_name].partition(":")
            command = _made(getattr(import_module(f"engine.commands.{module}"), function))
            command.params += [param for param in self.params if param.name == "no_color"]
            command.short_help = _CLAUSE.split(command.help)[0]  # what has room in a line of the list
            self.add_command(command, cmd_name)
        if cmd_name not in COMMANDS and not cmd_name.startswith("-") and not ctx.resilient_parsing:
            near = " or ".join(map(repr, get_close_matches(cmd_name, COMMANDS)))
            ctx.fail(f"there is no command {cmd_name!r}" + (f", did you mean {near}?" if near else ""))
        return self.commands.get(cmd_name)


def _made(function: Any) -> Any:
    """The command that a function is, or an app of several."""
    made = function
    if not isinstance(made, typer.Typer):
        made = typer.Typer(add_completion=False, rich_markup_mode=None)
        made.command()(function)
    command = get_command(made)
    for param in command.get_params(typer.Context(command)):
        if hasattr(param, "type_descriptor"):  # older versions of `typer` check values themselves
            param.process_value = _sparing(param)  # type: ignore[method-assign]
    return command


def _sparing(param: Any) -> Any:
    """How a parameter takes its value: as `typer` has it, but for values that need no check.

    `typer` has `pydantic` check them all, even those that were not given, and to load that takes longer than all else
    that `wfe ls` does.
    """
    check, kind = param.process_value, param.type_descriptor.annotation

    def take(context: Any, value: Any) -> Any:
        is_missing = param.value_is_missing(value)
        if is_missing and (not param.required or context.resilient_parsing):  # or somebody is still typing
            return value if param.callback is None else param.callback(context, param, value)
        if is_missing or param.callback is not None or kind not in (str, list[str], Path):
            return check(context, value)
        return kind(value)

    return take


app = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _uncolored(given: bool) -> None:
    if given:
        os.environ["NO_COLOR"] = "1"  # which the processes that are started from here obey, too


def _version(given: bool) -> None:
    if given:
        import engine

        sys.stdout.write(f"wfe {engine.__version__}\n")
        raise typer.Exit


@app.callback()
def _wfe(
    no_color: Annotated[
        bool, typer.Option("--no-color", callback=_uncolored, expose_value=False, help="As NO_COLOR=1: no colours.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, expose_value=False, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Runs workflows, and repairs what failed."""


def main() -> NoReturn:
    """The command `wfe`."""
    if (line := os.environ.get("_WFE_COMPLETE")) is not None:
        from engine.commands.completion import answer

        answer(_made(app), line, list(COMMANDS))
        sys.exit()
    _end_when_terminated(os.getpid())
    try:
        code = _do(sys.argv[1:] or ["--help"])
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (EPIPE, ENOSPC, EDQUOT):
            raise
        code = _unprinted(error)
    sys.exit(code)


def _unprinted(error: OSError) -> int:
    """Give up what could not be printed; the exit code."""
    from engine.commands.ending import end_if_a_thread_hangs  # `tee` ends by the ctrl+c that a run is broken off by

    code = 128 + signal.SIGPIPE  # whoever read it, as `head`, has seen enough
    if not isinstance(error, BrokenPipeError):
        code = 2
        with suppress(OSError):  # standard error may go to the same disk
            refusal(f"standard output cannot be written, the rest of it is lost: {error.strerror}")
    for stream in (sys.stdout, sys.stderr):  # what Python still holds goes nowhere, else it would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    end_if_a_thread_hangs(code)
    return code


def _end_when_terminated(own: int) -> None:
    """SIGTERM ends this process in order, and one that a task forks as it ends any other."""

    def end(*_: object) -> None:
        if os.getpid() == own:
            sys.exit(128 + signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


def _do(words: list[str]) -> int:
    """Do what was typed; the exit code."""
    try:
        command = _made(app)
        with command.make_context("wfe", words) as context:
            command.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except EngineError as error:
        return _refused(str(error))
    except typer.TyperException as error:
        return _refused(_usage(error))
    except (KeyboardInterrupt, typer.Abort):
        return 128 + signal.SIGINT
    return 0


def _usage(error: typer.TyperException) -> str:
    """What was typed wrong, as a sentence of ours."""
    said = error.format_message().rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    hint = f"{'' if said.endswith('?') else ':'} `{context.command_path} --help` tells more" if context else ""
    return f"{said[:1].lower()}{said[1:]}{hint}"


def _refused(sentence: str) -> int:
    refusal(sentence)
    return 2
