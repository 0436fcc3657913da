"""The benchmarks' stand-ins for AWS answer what the product asks: else a benchmark ends with an error, months later."""

from benchmarks.batch import HotDynamo, SlowDynamo, _detection, _hits, _keep, _keep_in_turn


def test_a_batch_is_detected_and_its_hits_are_kept() -> None:
    _detection(2)()
    side_by_side, hot = SlowDynamo(), HotDynamo()

    _keep(side_by_side, _hits(6))
    _keep(hot, _hits(6))
    _keep_in_turn(SlowDynamo(), _hits(2))

    assert side_by_side.puts == hot.puts == 6
