"""The engine's log, for who runs a workflow from a shell."""

import logging
import sys

from engine.text import literal


def log_to_stderr(verbosity: int) -> None:
    """Write the engine's log to standard error, with what tasks and exceptions say in it made literal.

    Args:
        verbosity: 0 writes errors, 1 what is done, 2 everything.
    """
    handler: logging.Handler
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.highlighter import NullHighlighter
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(stderr=True), show_path=False, highlighter=NullHighlighter())
        handler.setFormatter(_LiteralFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(_LiteralFormatter("%(asctime)s %(levelname)s %(message)s" if verbosity else None))
    log = logging.getLogger("engine")
    log.addHandler(handler)
    log.setLevel((logging.ERROR, logging.INFO, logging.DEBUG)[min(verbosity, 2)])


class _LiteralFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return literal(super().format(record), lines=True)
