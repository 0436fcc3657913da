"""The benchmarks' stand-ins for AWS answer what the product asks: else a benchmark ends with an error, months later."""

from benchmarks.batch import HotDynamo, SlowDynamo, _detection, _hits, _keep, _keep_in_turn
from benchmarks.shares import counted


def test_a_batch_is_detected_and_its_hits_are_kept() -> None:
    _detection(2)()
    side_by_side, hot = SlowDynamo(), HotDynamo()

    _keep(side_by_side, _hits(6))
    _keep(hot, _hits(6))
    _keep_in_turn(SlowDynamo(), _hits(2))

    assert side_by_side.puts == hot.puts == 6


def test_a_profiler_s_look_is_put_down_to_the_innermost_of_our_files() -> None:
    profile = [
        "main (trailbell/cli/main.py:86);detect (trailbell/hits/detect.py:3);decode (msgspec/json.py:9) 5",
        "main (trailbell/cli/main.py:86);detect (trailbell/hits/detect.py:7) 2",
        "main (trailbell/cli/main.py:86);_find_and_load (<frozen importlib._bootstrap>:1178);x (trailbell/a.py:1) 3",
        "<module> (site.py:1) 1",
    ]

    found = counted(profile)

    assert found["hits/detect.py"] == 7
    assert sorted(found.values()) == [1, 3, 7]
