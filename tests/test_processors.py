from __future__ import annotations

import time
from threading import Lock

import pytest

from bioloom import processors


@pytest.mark.parametrize(
    ("told", "most"), [("1", 1), ("1,2", 1), ("", 64), ("0", 64), ("many", 64), ("99", 64)]
)
def test_processors_are_those_of_the_system_unless_the_environment_says_fewer(
    told: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors.os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert processors.processors() == most


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_the_order_of_the_items_whichever_is_ready_first(threads: int) -> None:
    def slower_first(item: int) -> int:
        time.sleep(0.003 * (item % 3 == 0))
        return item * item

    assert list(processors.in_order(slower_first, range(20), threads)) == [item * item for item in range(20)]


def test_items_are_taken_only_when_they_are_needed() -> None:
    taken, lock = [], Lock()

    def items():  # type: ignore[no-untyped-def]
        for item in range(100):
            with lock:
                taken.append(item)
            yield item

    done = processors.in_order(lambda item: item, items(), 2)
    for number in range(5):
        assert next(done) == number
        assert len(taken) <= number + 4
    done.close()
    assert len(taken) < 10


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError("no such item")
        return item

    with pytest.raises(ValueError, match="no such item"):
        list(processors.in_order(work, range(10), 2))
