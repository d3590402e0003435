"""What holds of the clock for any ticket, any limit and any pauses."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import profiles
from geodata.clock.ends import ends, units_us
from geodata.clock.worktime import EPOCH, MICROSECOND, Worktime, micros, worktime_of
from profiles.clock import Amount
from services.clock.due import due_of, reckon
from services.clock.explain import lines_of
from services.clock.timeline import Pause, Timeline
from tests.services.clock_cases import UNITS, WAYS, ZONE, amounts

PLACES = [worktime_of(profiles.load(name)) for name in ("zoucheng", "shanggao", "liaoyang")]
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 1)).map(lambda one: one.replace(tzinfo=ZONE))
LIMITS = st.lists(
    st.builds(
        lambda amount, unit, way: Amount(amount=amount / 4, unit=unit, counting=way),
        st.integers(1, 60),
        st.sampled_from(list(UNITS.values())),
        st.sampled_from([None, *WAYS.values()]),
    ),
    min_size=1,
    max_size=3,
)
SPANS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 6_000)), max_size=4)


def pauses_of(start: datetime, spans: list[tuple[int, int]]) -> tuple[Pause, ...]:
    begin = [start + timedelta(minutes=after) for after, _ in spans]
    return tuple(
        Pause(at, at + timedelta(minutes=length)) for at, (_, length) in zip(begin, spans, strict=True)
    )


@settings(max_examples=150, deadline=None)
@given(LIMITS, MOMENTS, st.integers(0, 20_000), st.sampled_from(PLACES))
def test_a_later_start_is_never_due_earlier(
    limit: list[Amount], start: datetime, later: int, work: Worktime
) -> None:
    assert due_of(limit, start, work) <= due_of(limit, start + timedelta(minutes=later), work)


def test_a_part_of_a_day_that_was_over_before_it_began_ends_at_once() -> None:
    """A quarter of a day that counts from its morning, begun at 08:45: never due before the part that went before."""
    limit = [
        Amount(amount=0.25, unit="working_hours"),
        Amount(amount=0.25, unit="natural_days", counting="same_day"),
    ]
    for work in PLACES:
        start = datetime(2025, 1, 2, 4, 30, tzinfo=UTC)
        first = due_of(limit[:1], start, work)
        assert due_of(limit, start, work) >= first
        found = reckon(limit, Timeline(start), work, start + timedelta(days=9))
        assert max(line.end for line in lines_of(found, work) if line.counted) == found.due


@settings(max_examples=150, deadline=None)
@given(LIMITS, MOMENTS, SPANS, st.sampled_from(PLACES))
def test_explanations_add_up_and_pauses_never_shorten(
    limit: list[Amount], start: datetime, spans: list[tuple[int, int]], work: Worktime
) -> None:
    now = start + timedelta(days=400)
    found = reckon(limit, Timeline(start, pauses_of(start, spans)), work, now)
    assert due_of(limit, start, work) <= found.due
    lines = lines_of(found, work)
    for number, part in enumerate(limit):
        own = [line for line in lines if line.part == number]
        assert sum((line.counted for line in own), timedelta()) == units_us(part, work.day_us) * MICROSECOND
        assert [line for line in own if line.counted][-1].left == timedelta()
    assert max(line.end for line in lines if line.counted) == found.due == found.counted[-1].end


@settings(max_examples=150, deadline=None)
@given(
    LIMITS,
    MOMENTS,
    st.integers(0, 9_000),
    st.integers(2, 9_000),
    st.floats(0.01, 0.99),
    st.sampled_from(PLACES),
)
def test_splitting_a_pause_changes_nothing(
    limit: list[Amount], start: datetime, after: int, length: int, part: float, work: Worktime
) -> None:
    begin, end = start + timedelta(minutes=after), start + timedelta(minutes=after + length)
    middle = begin + timedelta(minutes=round(length * part))
    now = start + timedelta(days=400)
    one = reckon(limit, Timeline(start, (Pause(begin, end),)), work, now)
    two = reckon(limit, Timeline(start, (Pause(begin, middle), Pause(middle, end))), work, now)
    assert (one.due, one.total) == (two.due, two.total)


@settings(max_examples=150, deadline=None)
@given(MOMENTS, SPANS, st.sampled_from(PLACES))
def test_natural_hours_are_late_by_the_pauses_alone(
    start: datetime, spans: list[tuple[int, int]], work: Worktime
) -> None:
    limit = amounts("1000nh")
    pauses = pauses_of(start, spans)
    most = timedelta(days=work.clock.pause_most_days)
    minutes = {minute for after, length in spans for minute in range(after, after + length)}
    found = reckon(limit, Timeline(start, pauses), work, start + timedelta(days=400))
    assert found.due == start + timedelta(hours=1000) + min(most, timedelta(minutes=len(minutes)))


@settings(max_examples=100, deadline=None)
@given(LIMITS, st.lists(MOMENTS, min_size=1, max_size=8), st.sampled_from(PLACES))
def test_columns_agree_with_the_single_clock(
    limit: list[Amount], starts: list[datetime], work: Worktime
) -> None:
    column = ends(limit, np.array([micros(start) for start in starts], dtype=np.int64), work)
    assert [EPOCH + int(one) * MICROSECOND for one in column] == [
        due_of(limit, start, work) for start in starts
    ]


@settings(max_examples=100, deadline=None)
@given(
    LIMITS, MOMENTS, SPANS, st.lists(st.integers(0, 90_000), min_size=2, max_size=6), st.sampled_from(PLACES)
)
def test_what_is_worked_off_only_grows(
    limit: list[Amount], start: datetime, spans: list[tuple[int, int]], minutes: list[int], work: Worktime
) -> None:
    line = Timeline(start, pauses_of(start, spans))
    worked = [reckon(limit, line, work, start + timedelta(minutes=after)).worked for after in sorted(minutes)]
    assert worked == sorted(worked)
    if all(part.counting != "same_day" for part in limit):  # which counts the whole day of the start
        assert reckon(limit, line, work, start).worked == timedelta()
