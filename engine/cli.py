"""`wfe`: runs workflows, and every operator's verb from a shell.

Results go to standard output, people's words to standard error. Exit code 0: nothing failed; 1: entries failed, were
interrupted, or refused an act, or nobody agreed to it; 2: the command could not run, or was given an entry or a filter
that it cannot accept; 130: stopped by SIGINT (ctrl+c); 143: stopped by SIGTERM.
"""

import sys

import typer

from engine.commands import actions, looking, metrics, printing, running, triage, upkeep, verbs
from engine.exceptions import EngineError

app = typer.Typer(
    help="Runs workflows, and repairs what failed.", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False,
)  # fmt: skip


for _command in (
    looking.ls, looking.show, looking.report, looking.error, looking.share, looking.compare,
    running.run, running.work, verbs.repeat, verbs.restart, verbs.skip, verbs.hold, verbs.release, verbs.cancel,
    verbs.decide, verbs.pause, verbs.resume, verbs.stop, verbs.drain, actions.undo,
    triage.errors, triage.resolve, triage.snooze, triage.note,
    upkeep.export, upkeep.import_, upkeep.backup, upkeep.prune, upkeep.check, metrics.metrics,
):  # fmt: skip
    app.command(_command.__name__.rstrip("_"))(_command)

app.add_typer(actions.actions, name="actions")


def main() -> None:
    """The command `wfe`."""
    try:
        app()
    except EngineError as error:
        printing.refusal(str(error))
        sys.exit(2)
