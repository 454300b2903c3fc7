"""Counting requests in memory that processes share, and the text a collector reads."""

from __future__ import annotations

import os
import signal
import threading

from core.metrics import BUCKETS, SLOTS, Requests, line


def counted(requests: Requests) -> dict[tuple[str, str, str], int]:
    return {(row.route, row.method, row.status): sum(row.counts) for row in requests.series()}


class TestRequests:
    def test_counts_by_route_method_and_status(self) -> None:
        requests = Requests()
        requests.observe(route="home", method="GET", status=200, seconds=0.02)
        requests.observe(route="home", method="GET", status=200, seconds=30)
        requests.observe(route="", method="BREW", status=418, seconds=0.001)
        assert counted(requests) == {("home", "GET", "200"): 2, ("none", "other", "418"): 1}
        first = next(requests.series())
        assert (first.counts[1], first.counts[len(BUCKETS)], round(first.seconds, 2)) == (1, 1, 30.02)

    def test_an_edge_belongs_to_its_bucket(self) -> None:
        requests = Requests()
        requests.observe(route="home", method="GET", status=200, seconds=BUCKETS[0])
        assert next(requests.series()).counts[0] == 1

    def test_adds_up_over_processes_and_threads(self) -> None:
        requests = Requests()
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                for number in range(200):
                    requests.observe(route=f"route{number % 4}", method="GET", status=200, seconds=0.01)
                os._exit(0)
            children.append(child)

        def count() -> None:
            for _ in range(100):
                requests.observe(route="route0", method="GET", status=200, seconds=0.01)

        threads = [threading.Thread(target=count) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for child in children:
            os.waitpid(child, 0)
        assert sum(counted(requests).values()) == 3 * 200 + 2 * 100
        assert counted(requests)["route0", "GET", "200"] == 3 * 50 + 200

    def test_a_killed_process_leaves_no_lock(self) -> None:
        requests = Requests()
        child = os.fork()
        if child == 0:
            import fcntl

            fcntl.lockf(requests._file, fcntl.LOCK_EX)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        requests.observe(route="home", method="GET", status=200, seconds=0)
        assert len(counted(requests)) == 1

    def test_a_full_table_forgets_nothing_it_has(self) -> None:
        requests = Requests()
        for number in range(SLOTS + 3):
            requests.observe(route=f"route{number}", method="GET", status=200, seconds=0)
        requests.observe(route="route0", method="GET", status=200, seconds=0)
        assert len(counted(requests)) == SLOTS
        assert counted(requests)["route0", "GET", "200"] == 2


def test_labels_are_escaped() -> None:
    assert line("n", 1, (("kind", 'a"b\\c\nd'),)) == 'n{kind="a\\"b\\\\c\\nd"} 1'
