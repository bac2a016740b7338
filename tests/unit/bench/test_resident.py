"""What /proc says of a process: here of this one, which knows itself."""

import os
import threading
import time

from tests.bench import resident


def test_the_cpu_time_of_a_process_is_that_of_all_its_threads() -> None:
    def work() -> None:
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass

    before = resident.cpu_seconds(os.getpid())
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    least = time.process_time()
    assert resident.cpu_seconds(os.getpid()) >= max(least, before + 0.05)
    assert resident.cpu_seconds(os.getpid()) <= time.process_time()


def test_a_process_weighs_no_more_than_what_is_resident_of_it() -> None:
    whole, proportional = resident.megabytes(os.getpid())
    assert 0 < proportional <= whole


def test_a_process_was_born_before_now() -> None:
    assert 0 < resident.born(os.getpid()) <= time.time()
