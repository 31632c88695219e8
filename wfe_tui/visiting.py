"""An app whose screens are places, each with a path: they are gone to, and back and forward again."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual import work
from textual.screen import ModalScreen

from engine.clock import Clock
from engine.exceptions import EngineError, InputError
from engine.store import Store
from wfe_tui.routes import ENTRIES, LISTS, Area, Places, Route, parse_route
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.making import look, make_screen, screen_name
from wfe_tui.surviving import SurvivingApp


class VisitingApp(SurvivingApp):
    """Keeps the places that were visited, as each was left, for as long as one can go back to them."""

    store: Store
    """What is looked at."""
    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self._places = Places()
        self._screens: dict[str, StoreScreen] = {}
        self._left = 0
        """How often all of them were left: those that are still being taken down keep their names."""

    @property
    def signal(self) -> str | None:
        """What is wrong with what is shown; None if nothing is."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """What is in front, for the report of a failure."""
        return str(self.screen.route) if isinstance(self.screen, StoreScreen) else type(self.screen).__name__

    def go(self, route: Route) -> None:
        """Go to a place; what it names and is not there is said."""
        if self._needs_look(route):
            self._look_and_go(route)
        else:
            self._arrive(route)

    @work(group="go")
    async def _look_and_go(self, route: Route) -> None:
        try:
            found = await asyncio.to_thread(look, self.store, route, self.clock())
        except EngineError as error:
            self.say(str(error), severity="error")
        else:
            self._arrive(*found)

    def _arrive(self, route: Route, found: Any = None) -> None:
        if isinstance(self.screen, StoreScreen):
            self._places.rename(self.screen.route)
        self._places.go(route)
        self._show(route, found)

    def _needs_look(self, route: Route) -> bool:
        """Whether it is to be found out first if there is what the path names."""
        is_known = not route.name and route.area != "compare"
        return route.area != "entries" and not is_known and screen_name(route) not in self._screens

    def _show(self, route: Route, found: Any = None) -> None:
        name = screen_name(route)
        screen = self._screens.get(name)
        if screen is None:
            screen = self._screens[name] = make_screen(route, found)
            self.install_screen(screen, f"{self._left} {name}")
        while isinstance(self.screen, ModalScreen):
            self.pop_screen()
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)
        if screen.is_mounted:
            screen.open(route)
            screen.time_passed()
        screen.show_signal(self.signal)
        self.call_later(self._forget_screens)

    async def _forget_screens(self) -> None:
        """Take down the places that nobody can go back to."""
        for name, screen in list(self._screens.items()):
            is_kept = screen is self.screen or not screen.route.name or screen.route in self._places
            if not is_kept and screen not in self.screen_stack:
                del self._screens[name]
                await self._take_down(screen)

    async def _take_down(self, screen: StoreScreen) -> None:
        self.uninstall_screen(screen)
        await screen.remove()

    def action_go_to(self, area: Area) -> None:
        """Go to a list, as it was left."""
        if hasattr(self, "store"):
            shown = self._screens.get(area)
            self.go(shown.route if shown else Route(area))

    def action_go(self) -> None:
        """Ask for a path, and go there."""
        from wfe_tui.screens.go import GoScreen

        if hasattr(self, "store"):
            here = str(self.screen.route) if isinstance(self.screen, StoreScreen) else ""
            self.push_screen(GoScreen(here), self._go_to_path)

    def _go_to_path(self, path: str | None) -> None:
        if path:
            try:
                self.go(parse_route(path))
            except InputError as error:
                self.say(str(error), severity="error")

    async def action_back(self) -> None:
        """Go to the place before."""
        self._move(self._places.back)

    def action_forward(self) -> None:
        """Go to the place that was left."""
        self._move(self._places.forward)

    def _move(self, move: Callable[[], Route | None]) -> None:
        if isinstance(self.screen, StoreScreen):
            self._places.rename(self.screen.route)
        route = move()
        if route is None:
            return
        if self._needs_look(route):
            self._look_and_go(route)
        else:
            self._show(route)

    async def action_up(self) -> None:
        """Go from what is looked at to the list that it belongs to; from the lists home."""
        screen = self.screen
        if not isinstance(screen, StoreScreen):
            return
        came_from = self._places.before
        parent = Route(screen.route.area) if screen.route.name and screen.route.area in LISTS else ENTRIES
        if came_from is not None and (screen.route.name or screen.route.area not in LISTS):
            self._move(self._places.back)
        elif screen.route.area != "entries" or screen.route.name:
            self.go(self._screens[parent.area].route if parent.area in self._screens else parent)

    # --- what is shown

    def _living(self) -> list[StoreScreen]:
        """The places that are composed, in front or not."""
        return [each for each in self._screens.values() if each.is_mounted and each.is_attached and each.is_running]

    def _in_front(self) -> StoreScreen | None:
        """The place that is shown, below whatever lies on it."""
        return next((s for s in reversed(self.screen_stack) if isinstance(s, StoreScreen)), None)

    # --- in another time

    def _leave(self) -> list[StoreScreen]:
        """Leave all places: they are to be taken down when one is shown again."""
        screens, self._screens = [*self._screens.values()], {}
        self._left += 1
        return screens

    async def _show_again(self, route: Route) -> None:
        """Show a place in another time; its list, where it is not there then."""
        found = None
        if self._needs_look(route):
            try:
                route, found = await asyncio.to_thread(look, self.store, route, self.clock())
            except EngineError as error:
                self.say(str(error), severity="warning")
                route = Route(route.area if route.area in LISTS else "entries")
        self._places.rename(route)
        self._show(route, found)
