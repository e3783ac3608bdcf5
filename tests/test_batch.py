"""Many submissions side by side: each comes out once, whatever becomes of the processes that grade."""

import signal
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import pytest

from lossprimer.grading import batch
from lossprimer.grading.batch import Result, Work, results
from lossprimer.grading.sandbox import IsolationError

WORKS = [Work(f"student{number}", b"") for number in range(20)]


def graded(work):
    return Result(work.student, "graded")


def test_each_comes_out_once():
    found = [result.student for result in results(WORKS, lambda: ThreadPoolExecutor(3), graded, ahead=6)]
    assert sorted(found) == sorted(work.student for work in WORKS)


def test_no_more_are_read_than_are_handed_out():
    read, done = [], []

    def works():
        for work in WORKS:
            read.append(work)
            yield work

    for result in results(works(), lambda: ThreadPoolExecutor(1), graded, ahead=4):
        done.append(result)
        assert len(read) - len(done) <= 4


def test_what_is_known_already_is_passed_on():
    known = Result("ann", "skipped", "graded before")
    assert list(results([known], lambda: ThreadPoolExecutor(1), graded, ahead=2)) == [known]


class Breaks(Executor):
    """Processes of which one is killed by certain submissions, and with it all that wait."""

    def __init__(self, deadly, made):
        made.append(self)
        self.deadly, self.broken = deadly, False

    def submit(self, task, work):
        future = Future()
        self.broken = self.broken or work.student in self.deadly
        if self.broken:
            future.set_exception(BrokenExecutor("killed"))
        else:
            future.set_result(task(work))
        return future


def test_a_killed_process_costs_nobody_else_anything():
    made = []
    found = list(results(WORKS, lambda: Breaks({"student7"}, made), graded, ahead=1))
    assert {result.student: result.status for result in found} == {
        work.student: "failed" if work.student == "student7" else "graded" for work in WORKS
    }
    assert len(found) == len(WORKS)
    (failed,) = [result for result in found if result.status == "failed"]
    assert "killed" in failed.reason
    assert len(made) > 1


def test_without_isolation_all_stops():
    def refused(work):
        raise IsolationError("there is no bwrap")

    with pytest.raises(IsolationError):
        list(results(WORKS, lambda: ThreadPoolExecutor(1), refused, ahead=2))


def test_what_cannot_be_read_has_a_reason():
    result = batch.grade(Work("ann", b"this is no notebook"), None, None)
    assert (result.student, result.status) == ("ann", "unreadable")
    assert result.reason


def test_a_fault_of_ours_is_a_failure_of_one_submission():
    result = batch.grade(Work("ann", b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'), None, None)
    assert result.status == "failed"
    assert "AttributeError" in result.reason


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_until_a_process_has_been_told_what_it_is_for(monkeypatch, number):
    told = []

    def start(self):
        # As for another thread, which takes it in place of this one.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        signal.raise_signal(number)
        told.append(self)

    monkeypatch.setattr(batch.SpawnProcess, "start", start)
    # What an interrupt does here, also where the tests were started without anybody who could interrupt them.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            batch._Process().start()
    finally:
        signal.signal(number, before)
    assert len(told) == 1
