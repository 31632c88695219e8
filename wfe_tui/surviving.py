"""A handler that fails costs what it was to do, and nothing else: Textual would end the loop that called it."""

from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, ScreenResultType


class Surviving(MessagePump):
    """Goes on after a handler of its own has raised; the app tells of it. In tests that is to be seen, and ends it."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not getattr(self.app, "survives", False):
                raise
            self.app._handle_exception(error)

    async def _flush_next_callbacks(self) -> None:
        try:
            await super()._flush_next_callbacks()
        except Exception as error:
            if not getattr(self.app, "survives", False):
                raise
            self.app._handle_exception(error)


class Dialog(Surviving, ModalScreen[ScreenResultType]):
    """A modal screen of this console."""

    CSS_PATH = "screens.tcss"  # beside the module of the subclass
