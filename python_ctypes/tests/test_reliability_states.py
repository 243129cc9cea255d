"""Random sequences of calls of an executor and its cursors, against a model of its results.

FT_LOCAL_TEST_EXAMPLES is how many sequences there are for each kind of source.
"""

import contextlib
import os

import pytest
from ft_local import BatchExecutor, EndOfSource, ExecutorClosed
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

EXAMPLES = int(os.environ.get("FT_LOCAL_TEST_EXAMPLES", "60"))

pytestmark = pytest.mark.timeout(1800)


class SourceError(Exception):
    pass


class Lives(RuleBasedStateMachine):
    """Numbers are made, are inside, or are held by the test: each in one place."""

    bulk = False
    kind = BatchExecutor

    def __init__(self):
        super().__init__()
        self.executor = None
        self.cursors = []
        self.made = 0
        self.held = set()
        self.fails = self.has_failed = self.ends = self.closed = self.reenters = False

    # The source.

    def before_each(self):
        if self.fails:
            self.fails, self.has_failed = False, True
            raise SourceError
        if self.ends:
            raise StopIteration
        if self.reenters:
            self.reenters = False
            self.take_inside_the_source()

    def take_inside_the_source(self):
        # It gets what is ready, or an error, and never waits for itself.
        with contextlib.suppress(RuntimeError, ExecutorClosed):
            self.received(self.executor.load())

    def make_one(self):
        self.before_each()
        self.made += 1
        return self.made - 1

    def make_many(self, count):
        self.before_each()
        first = self.made
        # One more than there was room for now and then, which is kept for later.
        self.made += count + first % 2
        return range(first, self.made)

    # What comes of a call.

    def received(self, *numbers):
        for number in numbers:
            assert 0 <= number < self.made
            assert number not in self.held, f"{number} came twice"
            self.held.add(number)

    def call(self, function, *, takes=True):
        """Calls it. An exception must be one that the state explains."""
        self.has_failed = False
        try:
            return function()
        except SourceError:
            assert self.has_failed
        except ExecutorClosed:
            assert self.closed
        except EndOfSource:
            assert self.ends
            assert len(self.executor) == 0 or not takes
        return None

    # Rules.

    @precondition(lambda self: self.executor is None)
    @rule(
        size=st.sampled_from([1, 2, 3, 7, 64]),
        low_water=st.integers(0, 3),
        fill_budget=st.sampled_from([None, 1, 2, 50]),
    )
    def make(self, size, low_water, fill_budget):
        self.executor = self.kind(
            self.make_many if self.bulk else self.make_one,
            size,
            bulk=self.bulk,
            low_water=min(low_water, size),
            fill_budget=fill_budget and min(fill_budget, size),
        )

    has_executor = precondition(lambda self: self.executor is not None)

    @has_executor
    @rule(timeout=st.sampled_from([None, 0, 1.5]))
    def load(self, timeout):
        number = self.call(lambda: self.executor.load(timeout))
        if number is not None:
            self.received(number)

    @has_executor
    @rule()
    def try_load(self):
        number = self.call(self.executor.try_load)
        if number is not None:
            self.received(number)

    @has_executor
    @rule(count=st.integers(0, 20))
    def load_many(self, count):
        numbers = self.call(lambda: self.executor.load_many(count))
        if numbers is not None:
            assert len(numbers) == count or self.ends
            self.received(*numbers)

    @has_executor
    @rule(low_water=st.integers(1, 5), most=st.integers(1, 10))
    def prefill(self, low_water, most):
        before = self.made
        low_water = min(low_water, self.executor.size)
        made = self.call(lambda: self.executor.prefill(low_water, most), takes=False)
        if made is not None:
            assert 0 <= made <= most
            assert self.bulk or self.made == before + made

    @has_executor
    @rule(count=st.integers(0, 5))
    def give_back(self, count):
        numbers = [self.held.pop() for _ in range(min(count, len(self.held)))]
        self.executor.give_back(*numbers)

    @has_executor
    @rule()
    def make_cursor(self):
        if len(self.cursors) < 4:
            self.cursors.append(self.executor.cursor())

    @precondition(lambda self: self.cursors)
    @rule(which=st.integers(0, 3), times=st.integers(1, 6))
    def take_by_cursor(self, which, times):
        cursor = self.cursors[which % len(self.cursors)]
        for _ in range(times):
            number = self.call(lambda: cursor.load(0))
            if number is None:
                break
            self.received(number)

    @precondition(lambda self: self.cursors)
    @rule(which=st.integers(0, 3), by_name=st.booleans())
    def end_cursor(self, which, by_name):
        cursor = self.cursors.pop(which % len(self.cursors))
        if by_name:
            cursor.close()

    @has_executor
    @rule()
    def iterate(self):
        def take():
            # The range first: what is taken when it ends would be lost.
            for _, number in zip(range(3), self.executor, strict=False):
                self.received(number)

        self.call(take)

    @has_executor
    @rule()
    def next_call_of_the_source_fails(self):
        self.fails = True

    @has_executor
    @rule()
    def next_call_of_the_source_loads(self):
        self.reenters = True

    @has_executor
    @precondition(lambda self: self.made > 20)
    @rule()
    def the_source_ends(self):
        self.ends = True

    @has_executor
    @precondition(lambda self: self.made > 20)
    @rule()
    def close(self):
        self.executor.close()
        self.closed = True

    # What is true at any time.

    def inside(self):
        return len(self.executor) + sum(map(len, self.cursors))

    @has_executor
    @invariant()
    def every_result_is_in_one_place(self):
        stats = self.executor.stats()
        gone = stats.loads + stats.claimed + stats.released + stats.dropped_on_fork
        assert stats.produced + stats.given_back == gone + len(self.executor)
        if self.closed:
            assert len(self.executor) == 0
        elif not self.bulk:
            assert self.inside() == self.made - len(self.held)


class LivesInBulk(Lives):
    bulk = True


SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 1000,
    # What explains a failure takes minutes.
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("machine", [Lives, LivesInBulk])
def test_no_result_is_lost_or_doubled_by_any_sequence_of_calls(machine):
    run_state_machine_as_test(machine, settings=SETTINGS)


class Forgets(BatchExecutor):
    """Loses one of several results that it is given back."""

    def give_back(self, *results):
        super().give_back(*results[1:] or results)


class LivesOfOneThatForgets(Lives):
    kind = Forgets


def test_the_model_finds_a_fault():
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            LivesOfOneThatForgets, settings=settings(SETTINGS, phases=[Phase.generate])
        )
