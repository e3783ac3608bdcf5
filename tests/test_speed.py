"""The remark on slow code, by a clock that the tests move."""

import pytest

from lossprimer.checks import speed


class Clock:
    """Moves by what is done, and shows whole steps only."""

    def __init__(self, step=1e-9):
        self.now, self.step, self.calls = 0.0, step, 0

    def __call__(self):
        return self.now // self.step * self.step

    def lasting(self, seconds):
        """Return something that takes so long."""

        def call():
            self.now += seconds
            self.calls += 1

        return call


@pytest.mark.parametrize("step", [1e-9, 1e-4, 1e-3])
@pytest.mark.parametrize("lasts", [2e-5, 3e-4, 0.005, 0.7])
def test_a_call_is_measured_by_a_coarse_clock_too(step, lasts):
    clock = Clock(step)
    assert speed.seconds(clock.lasting(lasts), clock) == pytest.approx(lasts, rel=0.12)


def test_a_long_call_is_made_once_and_a_clock_that_stands_still_ends_the_measurement():
    clock = Clock()
    speed.seconds(clock.lasting(3.0), clock)
    assert clock.calls == 1
    assert speed.seconds(lambda: None, clock) == 0
    assert speed.remark(lambda: None, lambda: None, clock) == ""


@pytest.mark.parametrize("step", [1e-9, 1e-3])
def test_what_is_ten_times_slower_gets_a_remark_that_says_so(step):
    clock = Clock(step)
    said = speed.remark(clock.lasting(0.0004), clock.lasting(0.009), clock)
    assert said.startswith("It is right, and on larger arrays about 20 times slower than operations on whole arrays.")
    assert speed.remark(clock.lasting(0.0004), clock.lasting(0.003), clock) == ""


def test_what_is_clearly_as_fast_is_called_three_times():
    ours, theirs = Clock(), Clock()
    clock = lambda: ours.now + theirs.now  # noqa: E731
    assert speed.remark(ours.lasting(0.0004), theirs.lasting(0.0008), clock) == ""
    assert (ours.calls, theirs.calls) == (3, 3)
    # A clock that cannot tell a single call decides nothing.
    coarse = Clock(1e-3)
    assert speed.remark(coarse.lasting(0.0004), coarse.lasting(0.0008), coarse) == ""
    assert coarse.calls > 6
