"""How the size of a block follows how long blocks last."""

import pytest
from ft_local.lease import Lease, file_block
from ft_local.lease._size import BlockSize


def sizes(size, *lasted):
    result = []
    for seconds in lasted:
        size.lasted(seconds)
        result.append(size.value)
    return result


def test_doubles_while_blocks_last_less_than_the_target():
    assert sizes(BlockSize(10, 1000, 1.0), 0.1, 0.9, 0.0) == [20, 40, 80]


def test_halves_when_a_block_lasted_more_than_twice_the_target():
    size = BlockSize(10, 1000, 1.0)
    assert sizes(size, 0, 0, 2.1, 9.0) == [20, 40, 20, 10]


def test_rests_between_one_target_and_two():
    assert sizes(BlockSize(10, 1000, 1.0), 1.0, 1.5, 2.0) == [10, 10, 10]


def test_doubles_when_the_next_block_was_late_however_long_this_one_lasted():
    """Else a store that is too busy would be asked as often as before."""
    size = BlockSize(10, 1000, 1.0)
    size.lasted(9.0, waited=True)
    assert size.value == 20


def test_stays_within_its_bounds():
    assert sizes(BlockSize(10, 35, 1.0), 0, 0, 0) == [20, 35, 35]
    assert sizes(BlockSize(10, 35, 1.0), 9, 9) == [10, 10]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 16, 100, 1000])
@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("target", [1e-9, 3600], ids=["slow", "quick"])
def test_no_more_than_a_block_is_in_hand(tmp_path, block, prefetch, target):
    """Which is what a crash loses, whether the size changes or not."""
    with Lease(file_block(tmp_path / "ids", block), prefetch=prefetch, target=target) as ids:
        for loaded in range(1, min(30 * block, 5000)):
            ids.load()
            while prefetch and not ids._feed.is_ahead():
                pass
            leased = ids.lease_stats().leased
            assert leased - loaded <= ids.block
        if block >= 7 and target < 1 and not prefetch:
            assert ids.block <= block


def test_blocks_grow_under_load_up_to_the_bound(tmp_path):
    with Lease(file_block(tmp_path / "ids", 100), target=3600, max_block=800) as ids:
        ids.load_many(20_000)
        assert 700 <= ids.block <= 800


@pytest.mark.parametrize("bad", [99, 0])
def test_the_bound_is_at_least_the_block(tmp_path, bad):
    with pytest.raises(ValueError, match="max_block must be at least"):
        Lease(file_block(tmp_path / "ids", 100), max_block=bad)


def test_the_target_is_a_time(tmp_path):
    with pytest.raises(ValueError, match="target must be above 0 seconds, got 0"):
        Lease(file_block(tmp_path / "ids", 100), target=0)
