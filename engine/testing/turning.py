"""A clock that stands until it is turned: an hour's delay is tested in no time."""

from datetime import UTC, datetime, timedelta

from engine.clock import as_utc


class ManualClock:
    """A clock for a processor, as `Orders(store, clock=clock)`: it answers the same moment until it is turned.

    Any thread may read it. A copy in another process stands still for ever.

    Args:
        now: the moment at which it stands first; without a zone it is local time.

    Example::

        clock = ManualClock()
        clock.turn(hours=1)
        assert clock() == datetime(2026, 1, 1, 13, tzinfo=UTC)
    """

    def __init__(self, now: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = as_utc(now)

    def __call__(self) -> datetime:
        """The moment at which it stands, aware, in UTC."""
        return self._now

    def turn(self, by: timedelta = timedelta(), /, **parts: float) -> None:
        """Turn it on.

        Args:
            by: so far; a negative one turns it back, as somebody may who sets a machine's clock.
            parts: and so far, in the words of a timedelta: `hours=1, minutes=30`.
        """
        self._now += by + timedelta(**parts)

    def turn_to(self, moment: datetime) -> None:
        """Turn it to a moment; one without a zone is local time."""
        self._now = as_utc(moment)

    def __repr__(self) -> str:
        return f"ManualClock({self._now!r})"
