"""The palette: what keys do on the screen in front, by their names."""

from collections.abc import Callable, Iterable

from textual.app import App, SystemCommand
from textual.dom import DOMNode
from textual.screen import Screen

from wfe_tui.actions import ACTIONS, binding_id
from wfe_tui.screens.base import StoreScreen


def key_commands(app: App[None], screen: Screen[object]) -> Iterable[SystemCommand]:
    """The actions of all keys that do something on this screen now."""
    bound = {active.binding.id: active.node for active in screen.active_bindings.values() if active.enabled}
    for place, action in ((place, action) for place, actions in ACTIONS.items() for action in actions):
        node = bound.get(binding_id(place, action))
        if action.is_chord and isinstance(screen, StoreScreen) and screen.keys == place:
            node = screen
        if node is not None:
            yield SystemCommand(action.name, action.help, _later(app, node, action.id))


def _later(app: App[None], node: DOMNode, action: str) -> Callable[[], None]:
    """What the palette calls: the action runs when the palette is gone."""

    def call() -> None:
        app.call_later(app.run_action, action, node)

    return call
