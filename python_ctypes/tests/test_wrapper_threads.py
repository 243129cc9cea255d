"""LocalWrapper: a wrapper is for one thread, but several threads that use one do no harm."""

import inspect
import sys
import threading

import pytest
from ft_local import LocalWrapper

THREADS = 4
ROUNDS = 5000


def test_each_thread_has_its_own_wrapper_of_one_object(run_threads):
    shared = {"value": 1}
    before = sys.getrefcount(shared)

    def read(number):
        wrapper = LocalWrapper(shared)
        for _ in range(ROUNDS):
            assert wrapper["value"] == 1
            assert wrapper.get("value") == 1

    run_threads(THREADS, read)
    assert sys.getrefcount(shared) == before


def test_division_of_one_wrapper_in_several_threads(run_threads):
    wrapper = LocalWrapper(6.0)

    def divide(number):
        for _ in range(ROUNDS):
            assert wrapper / 2 == 3.0
            assert wrapper // 4 == 1.0

    run_threads(THREADS, divide)
    assert wrapper.wrapped == 6.0


def test_in_place_addition_to_one_wrapper_in_several_threads(run_threads):
    wrapper = LocalWrapper(())

    def add(number):
        mine = wrapper
        for count in range(500):
            assert len(mine) == count
            mine += (number,)

    run_threads(THREADS, add)
    assert wrapper.wrapped == ()


def test_one_name_for_a_wrapper_that_several_threads_replace(run_threads):
    holder = [LocalWrapper(())]

    def add(number):
        for _ in range(500):
            wrapper = holder[0]
            wrapper += (number,)
            holder[0] = wrapper
            assert all(0 <= item < THREADS for item in holder[0])

    run_threads(THREADS, add)


def test_wrappers_made_and_dropped_at_once(run_threads):
    shared = [object()]

    def work(number):
        for _ in range(ROUNDS):
            wrapper = LocalWrapper(shared)
            shared[0] = wrapper
            assert len(wrapper) == 1

    run_threads(THREADS, work)


@pytest.mark.parametrize("name", ["append", "wrapped"])
def test_attributes_of_one_wrapper_in_several_threads(name, run_threads):
    values = []
    wrapper = LocalWrapper(values)
    expected = getattr(wrapper, name)

    def read(number):
        for _ in range(ROUNDS):
            assert getattr(wrapper, name) == expected

    run_threads(THREADS, read)


def test_bases_that_change_while_others_look_up(run_threads):
    class First:
        x = 1

    class Mixed(First, LocalWrapper):
        added = 2

    class Thing:
        y = 3

    wrapper = Mixed(Thing())
    done = threading.Event()

    def change(_):
        try:
            for number in range(300):
                Mixed.__bases__ = (type(f"Mixin{number}", (), {"x": number}), LocalWrapper)
        finally:
            done.set()

    def look(_):
        while not done.is_set():
            assert wrapper.y == 3
            assert wrapper.added == 2
            assert "added" in LocalWrapper.__dir__(wrapper)

    run_threads(4, lambda index: (look if index else change)(index))


@pytest.mark.c_backend(reason="a class in Python cannot have a __dict__ of its own making")
def test_bases_of_the_object_that_change_while_others_read_it(run_threads):
    class First:
        x = 1

    class Thing(First):
        y = 3

    wrapper = LocalWrapper(Thing())
    done = threading.Event()

    def change(_):
        try:
            for number in range(300):
                Thing.__bases__ = (type(f"Base{number}", (), {"x": number}),)
        finally:
            done.set()

    def look(_):
        while not done.is_set():
            assert inspect.getattr_static(wrapper, "y") == 3

    run_threads(4, lambda index: (look if index else change)(index))
