"""From a path to its screen: what it names is looked for in the store, and the screen begins with what was found.

Screens are imported when they are needed: not all are, and the first rows should not wait for them.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.exceptions import InputError
from engine.lookup.entries import find_error, find_fingerprint
from engine.store import Store
from wfe_tui.routes import Route
from wfe_tui.screens.base import StoreScreen


def screen_name(route: Route) -> str:
    """One list is one screen, whatever its filter, and so are the comparisons of an entry."""
    return str(replace(route, filter="")) if route.name else route.area


def look(store: Store, route: Route, moment: datetime) -> tuple[Route, Any]:
    """What a path names at a moment (aware), in full, and what its screen begins with; in a thread that may wait.

    Raises:
        InputError: there is nothing of this name.
    """
    if route.area == "errors":
        if ":" in route.name:
            return Route("errors", find_fingerprint(store, route.name)), None
        record = find_error(store, route.name)
        return Route("errors", record["error_id"]), record
    if route.area == "share":
        raise InputError(f"share is followed by a filter: write share?{route.name} in place of {route}")
    if route.area == "compare":
        from wfe_tui.screens.compare import look as look_at_both

        return look_at_both(store, route, moment)
    table = store.runs if route.area == "runs" else store.actions
    number = int(route.name) if route.name.isascii() and route.name.isdigit() and len(route.name) < 16 else 0
    if not number or table.get(doc_id=number) is None:
        raise InputError(f"there is no {route.area.removesuffix('s')} {route.name!r}: {route.area} lists them")
    return route, None


def make_screen(route: Route, found: Any) -> StoreScreen:
    """The screen of a route; `found` is what `look` has found for it, None where nothing had to be looked for."""
    match route:
        case Route(name=""):
            return _make_list(route)
        case Route(area="entries"):
            from wfe_tui.screens.entry import EntryScreen

            return EntryScreen(route)
        case Route(area="errors", name=name) if ":" in name:
            from wfe_tui.screens.occurrences import OccurrencesScreen

            return OccurrencesScreen(route)
        case Route(area="errors"):
            from wfe_tui.screens.trace import TraceScreen

            return TraceScreen(found)
        case Route(area="runs"):
            from wfe_tui.screens.run import RunScreen

            return RunScreen(route, int(route.name))
        case Route(area="compare"):
            from wfe_tui.screens.compare import CompareScreen

            return CompareScreen(route, found)
    from wfe_tui.screens.action import ActionScreen

    return ActionScreen(route, int(route.name))


def _make_list(route: Route) -> StoreScreen:
    """A place that is there without a name."""
    match route.area:
        case "entries":
            from wfe_tui.screens.entries import EntriesScreen

            return EntriesScreen(route)
        case "errors":
            from wfe_tui.screens.errors import ErrorsScreen

            return ErrorsScreen(route)
        case "share":
            from wfe_tui.screens.share import ShareScreen

            return ShareScreen(route)
        case "runs":
            from wfe_tui.screens.runs import RunsScreen

            return RunsScreen(route)
        case "report":
            from wfe_tui.screens.report import ReportScreen

            return ReportScreen(route)
    from wfe_tui.screens.actions import ActionsScreen

    return ActionsScreen(route)
