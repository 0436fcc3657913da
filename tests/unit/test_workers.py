"""Requests are made side by side, all of them, and nothing goes on behind an error."""

import threading
import time

import pytest

from trailbell.store.workers import Workers


def test_results_come_in_the_order_of_the_items() -> None:
    """Who is ready first must not decide which result belongs to which item."""

    def do(number: int) -> int:
        time.sleep((10 - number) / 1000)
        return number * number

    assert Workers(4).each(do, range(10)) == [number * number for number in range(10)]


def test_requests_wait_together() -> None:
    """One after the other, a thousand hits take a thousand round trips."""
    everybody = threading.Barrier(4, timeout=10)

    Workers(4).each(lambda item: everybody.wait(), range(4))


def test_no_more_than_allowed_run_at_once_over_all_callers() -> None:
    """Ten log files full of hits must not open eighty connections."""
    workers, lock, running, most = Workers(3), threading.Lock(), [0], [0]

    def do(item: int) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        with lock:
            running[0] -= 1

    callers = [threading.Thread(target=workers.each, args=(do, range(10))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert most == [3]


def test_first_error_is_raised_when_nothing_runs_any_more() -> None:
    """A hit written behind the error's back, before its pointers, would be told and never found."""
    finished = list[int]()

    def do(number: int) -> None:
        if number == 0:
            raise ValueError("refused")
        time.sleep(0.05)
        finished.append(number)

    with pytest.raises(ValueError, match="refused"):
        Workers(3).each(do, range(100))

    at_error = list(finished)
    time.sleep(0.1)
    assert finished == at_error
    assert len(finished) < 10


def test_single_item_is_done_by_the_caller() -> None:
    """Most log files hold one hit or none; a thread for it costs more than the request."""
    assert Workers(3).each(lambda item: threading.current_thread(), [1]) == [threading.current_thread()]
    assert Workers(3).each(lambda item: item, []) == []
