"""What a task says of its outcome, and the policies by which it is executed again.

A policy is a small class with one decision, `ripeness`: pure, asked as often as one likes.
"""

import hashlib
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    model_validator,
)

from engine.clock import as_utc, to_text
from engine.text import counted, encodable

UtcDatetime = Annotated[datetime, AfterValidator(as_utc)]
"""A moment in UTC; one that comes without a zone is taken as local time."""


@dataclass(frozen=True)
class Ripe:
    """The task is executed again now; `since` is the moment (UTC) that had to come for it, if there was one."""

    why: str
    since: datetime | None = None


@dataclass(frozen=True)
class NotYet:
    """The task is executed again later: at `until` (UTC), or in the `cycles`-th run from now."""

    why: str
    until: datetime | None = None
    cycles: int | None = None


@dataclass(frozen=True)
class Never:
    """The task is not executed again by itself."""

    why: str = ""


Ripeness = Ripe | NotYet | Never


class RepeatPolicy(BaseModel):
    """Base of the repeat policies. An unknown field is an error: JSON must come back as what it was; `kind` tells them
    apart in it."""

    model_config = ConfigDict(extra="forbid")

    counts_attempts: ClassVar[bool] = False
    """Its ripeness depends on how many executions there have been."""

    @abstractmethod
    def ripeness(self, began: datetime, attempts: int, moment: datetime) -> Ripe | NotYet:
        """Whether an execution is repeated now, or when, and why.

        Args:
            began: when it began (aware).
            attempts: how many there have been, that one included; an operator's restart has them counted anew.
            moment: when the run is that asks (aware).
        """


class RepeatAfterCycle(RepeatPolicy):
    """Execute again in the `after_cycle`-th run that considers the entry, however much time is between the runs.

    `current_cycle` is how many runs have considered it since; the engine counts and stores it.

    Example::

        Status(message="no answer yet", repeat=RepeatAfterCycle(after_cycle=3))
    """

    kind: Literal["after_cycle"] = "after_cycle"
    after_cycle: int = Field(ge=0)
    current_cycle: int = Field(default=0, ge=0)

    def ripeness(self, began: datetime, attempts: int, moment: datetime) -> Ripe | NotYet:
        left = self.after_cycle - self.current_cycle
        why = f"repeat after {counted(self.after_cycle, 'run')}"
        return Ripe(why) if left <= 1 else NotYet(f"{why}, {left} to go", cycles=left)


class RepeatAfterDatetime(RepeatPolicy):
    """Execute again in the first run at or after `date_time`; without a zone that is local time.

    Example::

        Status(message="not before Christmas", repeat=RepeatAfterDatetime(date_time=datetime(2026, 12, 24, 8)))
    """

    kind: Literal["after_datetime"] = "after_datetime"
    date_time: UtcDatetime

    def ripeness(self, began: datetime, attempts: int, moment: datetime) -> Ripe | NotYet:
        why = "repeat at a date"
        return Ripe(why, self.date_time) if moment >= self.date_time else NotYet(why, until=self.date_time)


_LONGEST = 1_000 * 365 * 86_400
"""Of each part of a delay, in seconds: a thousand years, so that its end is still in the calendar."""


class RepeatAfterTime(RepeatPolicy):
    """Execute again in the first run that comes so long after the execution began. Nothing wakes a run for that: the
    next one of cron does it, or a worker that stays (`wfe work`).

    The parts add up: `seconds`, `minutes`, `hours` and `days`, whole numbers.

    Example::

        Status(message="customs are closed", repeat=RepeatAfterTime(hours=1, minutes=30))
    """

    kind: Literal["after_time"] = "after_time"
    seconds: int = Field(default=0, ge=0, le=_LONGEST)
    minutes: int = Field(default=0, ge=0, le=_LONGEST // 60)
    hours: int = Field(default=0, ge=0, le=_LONGEST // 3_600)
    days: int = Field(default=0, ge=0, le=_LONGEST // 86_400)

    def get_timedelta(self) -> timedelta:
        """The parts as one duration."""
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds)

    def ripeness(self, began: datetime, attempts: int, moment: datetime) -> Ripe | NotYet:
        why = f"repeat after {_in_words(self.days, self.hours, self.minutes, self.seconds)}"
        until = began + self.get_timedelta()
        return Ripe(why, until) if moment >= until else NotYet(why, until=until)


class RepeatWithBackoff(RepeatPolicy):
    """Execute again after a delay that grows from attempt to attempt, so that what is overloaded is left to recover.

    After the n-th attempt it is `initial * factor ** (n - 1)`, at most `maximum`, from the beginning of the execution.

    Args:
        initial: the delay after the first attempt, in seconds.
        factor: the factor by which it grows with each attempt; 1 leaves it as it is.
        maximum: the longest delay, in seconds.
        jitter: the part of itself, 0 to 1, by which a delay is lengthened at most: entries that failed together do not
            all come back together. How much it is follows from the execution, so it is the same whenever it is asked.

    Raises:
        pydantic.ValidationError: a number is out of its bounds, or `maximum` is less than `initial`.

    Example::

        Status(message="the carrier is overloaded", repeat=RepeatWithBackoff(initial=30), max_reruns=8)
    """

    counts_attempts: ClassVar[bool] = True
    kind: Literal["with_backoff"] = "with_backoff"
    initial: float = Field(gt=0, le=_LONGEST, allow_inf_nan=False)
    factor: float = Field(default=2.0, ge=1, allow_inf_nan=False)
    maximum: float = Field(default=3600.0, gt=0, le=_LONGEST, allow_inf_nan=False)
    jitter: float = Field(default=0.1, ge=0, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check_maximum(self) -> Self:
        if self.maximum < self.initial:
            raise ValueError(f"the maximum ({self.maximum:g} s) is shorter than the initial delay ({self.initial:g} s)")
        return self

    def delay(self, began: datetime, attempts: int) -> float:
        """Seconds from `began` (aware), the beginning of the newest of so many `attempts`, to the next one."""
        try:
            grown = self.initial * self.factor ** (attempts - 1)
        except OverflowError:
            grown = math.inf
        return min(self.maximum, grown) * (1 + self.jitter * _fraction(f"{to_text(began)} {attempts}"))

    def ripeness(self, began: datetime, attempts: int, moment: datetime) -> Ripe | NotYet:
        delay = self.delay(began, attempts)
        why = f"repeat with backoff, attempt {attempts + 1} after {_seconds_in_words(delay)}"
        until = began + timedelta(seconds=delay)
        return Ripe(why, until) if moment >= until else NotYet(why, until=until)


def _fraction(of: str) -> float:
    """A number from 0 to 1 that looks like chance, and is the same for the same text in every process."""
    return int.from_bytes(hashlib.blake2b(of.encode(), digest_size=8).digest()) / 2**64


def _seconds_in_words(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return _in_words(*divmod(hours, 24), minutes, rest)


def _in_words(days: int, hours: int, minutes: int, seconds: int) -> str:
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _kind_of(value: Any) -> str | None:
    """Which policy a value is. JSON of the published package has no `kind`; its fields tell."""
    if isinstance(value, bool):
        return "now"
    if isinstance(value, RepeatPolicy):
        return str(getattr(value, "kind", None))
    if not isinstance(value, Mapping):
        return None
    if "kind" in value:
        return str(value["kind"])
    for field, kind in (("after_cycle", "after_cycle"), ("date_time", "after_datetime")):
        if field in value:
            return kind
    return "after_time" if value else None


_KINDS = [str(policy.model_fields["kind"].default) for policy in RepeatPolicy.__subclasses__()]
_NO_REPEAT = f"repeat is true, false, or a policy: {', '.join(_KINDS[:-1])} or {_KINDS[-1]}"

Repeat = Annotated[
    Annotated[StrictBool, Tag("now")]
    | Annotated[RepeatAfterCycle, Tag("after_cycle")]
    | Annotated[RepeatAfterTime, Tag("after_time")]
    | Annotated[RepeatAfterDatetime, Tag("after_datetime")]
    | Annotated[RepeatWithBackoff, Tag("with_backoff")],
    Discriminator(_kind_of, custom_error_type="repeat_policy", custom_error_message=_NO_REPEAT),
]
"""True: in the next run. False or None: not. Else a policy."""


class Status(BaseModel):
    """What a task says of its outcome: returned on success, or carried by a `StatusException`. Not for what nobody
    expects: that is an exception of any other kind, which becomes an error with a stack trace.

    Args:
        repeat: whether, and by which policy, the task is executed again: True is in the next run, False and None are
            not, else a `RepeatAfterTime`, `RepeatAfterDatetime`, `RepeatAfterCycle` or `RepeatWithBackoff`.
        message: for the operator, one line.
        max_reruns: how many times it may be executed again: N reruns are N + 1 executions, 0 is none, None is no bound.

    Raises:
        pydantic.ValidationError: an unknown field, `max_reruns` below 0, or a message that no text can hold.

    Example::

        Status(message="customs are closed", repeat=RepeatAfterTime(hours=1), max_reruns=24)
    """

    model_config = ConfigDict(extra="forbid")

    repeat: Repeat | None = None
    message: Annotated[str, AfterValidator(encodable)] | None = None
    max_reruns: int | None = Field(default=None, ge=0)

    @property
    def counts_attempts(self) -> bool:
        """Its ripeness depends on how many executions there have been."""
        by_policy = isinstance(self.repeat, RepeatPolicy) and self.repeat.counts_attempts
        return self.max_reruns is not None or by_policy

    def ripeness(self, began: datetime, attempts: int, moment: datetime) -> Ripeness:
        """Whether a task that ended with this status is executed again.

        Args:
            began: when its newest execution began (aware).
            attempts: how many executions there have been, that one included.
            moment: the moment asked about (aware).
        """
        if not self.repeat:
            return Never()
        if self.max_reruns is not None and attempts > self.max_reruns:
            return Never(f"exhausted: all {counted(self.max_reruns, 'rerun')} used")
        return Ripe("repeat is on") if self.repeat is True else self.repeat.ripeness(began, attempts, moment)


class StatusException(Exception):  # noqa: N818 - the published name
    """Raised by a task to interrupt the workflow of its entry, with a status and without an error.

    Args:
        status: what the task says; with a repeat the entry waits for that, else for an operator.
        args: kept as any exception keeps them.

    Example::

        def process_entry(self, entry, dry_run=False):
            if entry.country == "NO":
                raise StatusException(Status(message="customs are closed", repeat=RepeatAfterTime(hours=1)))
    """

    def __init__(self, status: Status, *args: object) -> None:
        super().__init__(*args, *([status.message] if status.message else []))
        self.status = status
        self._given = args

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, *self._given)
