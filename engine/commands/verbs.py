"""The commands of `wfe` that act, on entries, a processor or a run. What they do is in `engine.operations`."""

from enum import StrEnum
from typing import Annotated

import typer

from engine import operations, repeating
from engine.clock import utc_now
from engine.commands import completing
from engine.commands.doing import Planned, do, refusals
from engine.commands.options import (
    DryRunOption,
    Entries,
    JsonOption,
    OutOption,
    PlanOption,
    ProcessorOption,
    StoreOption,
    WhyOption,
    YesOption,
    existing,
)
from engine.commands.printing.acts import print_answer
from engine.exceptions import InputError
from engine.operations import Cancel, Decide, Decision, Hold, Release, Restart, SetRepeat, Skip
from engine.status import Repeat, RepeatAfterCycle
from engine.worker.canary import Canary


class Switch(StrEnum):
    """The two positions of a repeat."""

    ON = "on"
    OFF = "off"


def repeat(
    switch: Switch,
    keys: Entries = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As 2h: so long after it last began.", show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="As '2026-12-24 08:00', or 08:00: not before.", show_default=False),
    ] = None,
    cycles: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="In the N-th run from now on.", show_default=False)
    ] = None,
    reruns: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Up to N times, if it fails again; else once.", show_default=False),
    ] = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Set or clear the repeat of entries: the next run, or a later one, executes their failed task again, or not."""
    verb = SetRepeat(_policy(switch, after, at, cycles, reruns), reruns)
    do(verb, keys, store, processor, why, yes=yes, as_json=json, planned=Planned(dry_run))


def restart(
    keys: Entries = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Execute finished tasks again, too.")] = False,
    canary: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Try N entries, the others once these are fixed.", show_default=False),
    ] = None,
    in_flight: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="M", help="With --canary: of the others M at once. Default: 10.", show_default=False
        ),
    ] = None,
    stop_after: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="K",
            help="With --canary: stop when the same error came back K times and once more. Default: 0.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    out: OutOption = None,
    plan: PlanOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Execute entries again now: from the failed task, or from the start."""
    how = _canary(canary, in_flight, stop_after)
    planned = Planned(dry_run, out, plan)
    do(Restart(from_start), keys, store, processor, why, yes=yes, as_json=json, planned=planned, canary=how)


def skip(
    keys: Entries = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    out: OutOption = None,
    plan: PlanOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Take the task at which entries stand as done, unexecuted. Then they go on now."""
    do(Skip(), keys, store, processor, why, yes=yes, as_json=json, planned=Planned(dry_run, out, plan))


def hold(
    keys: Entries = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Let no run execute entries until they are released."""
    do(Hold(), keys, store, processor, why, yes=yes, as_json=json, planned=Planned(dry_run))


def release(
    keys: Entries = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """End the hold of entries: the next run executes them again."""
    do(Release(), keys, store, processor, why, yes=yes, as_json=json, planned=Planned(dry_run))


def cancel(
    keys: Entries = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    out: OutOption = None,
    plan: PlanOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Let no run execute entries any more. Only a restart takes them up again."""
    do(Cancel(), keys, store, processor, why, yes=yes, as_json=json, planned=Planned(dry_run, out, plan))


def decide(
    verdict: Annotated[Decision, typer.Argument(help="Execute the task again, or take it as done.")],
    keys: Entries = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    dry_run: DryRunOption = False,
    out: OutOption = None,
    plan: PlanOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Decide of entries in doubt, whose process died inside a task: again, or done. Then they go on now."""
    do(Decide(verdict), keys, store, processor, why, yes=yes, as_json=json, planned=Planned(dry_run, out, plan))


def _canary(first: int | None, in_flight: int | None, stop_after: int | None) -> Canary | None:
    """How a few entries are tried first. Raises InputError if the other numbers are given without that one."""
    if first is not None:
        return Canary(first, 10 if in_flight is None else in_flight, stop_after or 0)
    if in_flight is not None or stop_after is not None:
        raise InputError("--in-flight and --stop-after are of a restart with --canary: give that as well")
    return None


def _policy(switch: Switch, after: str | None, at: str | None, cycles: int | None, reruns: int | None) -> Repeat:
    """The repeat that is asked for. Raises InputError if its options exclude each other, or are not understood."""
    policies = {"--after": after, "--at": at, "--cycles": cycles}
    given = [name for name, value in policies.items() if value is not None]
    if switch is Switch.OFF:
        if reruns is not None:
            given.append("--reruns")
        if given:
            raise InputError(f"repeat off takes no {given[0]}: leave it out, or write repeat on")
        return False
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} exclude each other: give one of them")
    if after is not None:
        return repeating.after(after)
    if at is not None:
        return repeating.at(at, utc_now())
    return True if cycles is None else RepeatAfterCycle(after_cycle=cycles)


ProcessorName = Annotated[
    str,
    typer.Argument(
        metavar="PROCESSOR",
        help="MODULE:PROCESSOR, or its class name alone.",
        show_default=False,
        autocompletion=completing.processors,
    ),
]


def pause(processor: ProcessorName, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False) -> None:
    """Let no task of a processor be started, in any run, until it is resumed."""
    with existing(store) as opened, refusals("pause", processor, as_json=json):
        made = operations.pause(processor, store=opened, why=why)
    said = f"{made.processor} is paused: it starts no task until `wfe resume`"
    print_answer("pause", made.processor, said, as_json=json)


def resume(
    processor: ProcessorName, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False
) -> None:
    """End the pause of a processor."""
    with existing(store) as opened, refusals("resume", processor, as_json=json):
        ended = operations.resume(processor, store=opened, why=why)
    said = f"{ended.processor} is resumed, it was {ended.words(utc_now())}"
    print_answer("resume", ended.processor, said, as_json=json)


RunNumber = Annotated[
    int,
    typer.Argument(
        metavar="RUN", help="The number of a run that goes on.", show_default=False, autocompletion=completing.runs
    ),
]


def stop(run: RunNumber, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False) -> None:
    """Let a run begin nothing more: what is under way ends, then the run ends, and its worker."""
    with existing(store) as opened, refusals("stop", str(run), as_json=json):
        processor = operations.stop(run, store=opened, why=why)
    said = f"run {run} of {processor} begins nothing more, and ends when what is under way has ended"
    print_answer("stop", str(run), said, as_json=json)


def drain(run: RunNumber, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False) -> None:
    """Let a run take no new entry: those begun go through their tasks, then the run ends, and its worker."""
    with existing(store) as opened, refusals("drain", str(run), as_json=json):
        processor = operations.drain(run, store=opened, why=why)
    said = f"run {run} of {processor} takes no new entry, and ends when those that it has begun are through"
    print_answer("drain", str(run), said, as_json=json)
