"""How large the next block should be."""


class BlockSize:
    """Doubles if a block lasted less than `target` seconds, halves if more than twice as long.

    Doubles too if the next block was not there in time: the store is slow, or has too much to do.

    Stays between `least` and `most`. Between one and two targets is where it rests: halving there
    would make the next block last less than the target.
    """

    __slots__ = ("_least", "_most", "_target", "value")

    def __init__(self, least: int, most: int, target: float) -> None:
        """Starts with the smallest."""
        if not target > 0:
            raise ValueError(f"target must be above 0 seconds, got {target}")
        self._least, self._most, self._target = least, most, target
        self.value = least

    def lasted(self, seconds: float, *, waited: bool = False) -> None:
        """Takes into account how long the last block lasted, and whether the next one is late."""
        if waited or seconds < self._target:
            self.value = min(self.value * 2, self._most)
        elif seconds > 2 * self._target:
            self.value = max(self.value // 2, self._least)
