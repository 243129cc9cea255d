"""What a lease raises. Each error names its store and has the client's exception as its cause."""

from typing import Self


class StoreError(RuntimeError):
    """The store cannot lease a block; trying again alone will not help.

    `store` says which store, `why` what is wrong. The client's exception, if there was one, is the
    `__cause__`.
    """

    __module__ = "ft_local.lease"

    def __init__(self, store: str, why: str) -> None:
        """Takes the store's name and what is wrong with it."""
        super().__init__(store, why)
        self.store = store
        self.why = why

    def __str__(self) -> str:
        """Both, in one line."""
        return f"{self.store}: {self.why}"

    def again(self) -> Self:
        """The same error for another thread: a traceback belongs to one."""
        other = type(self)(self.store, self.why)
        other.__cause__ = self.__cause__
        return other


class StoreUnavailable(StoreError):  # noqa: N818 - a state that passes
    """The store is away: no connection, a timeout, or a server that starts or takes no writes."""

    __module__ = "ft_local.lease"


class UnsafeStore(StoreError):  # noqa: N818 - what the store is
    """The store is configured so that it may lease an id a second time after a crash."""

    __module__ = "ft_local.lease"


class CounterWentBack(StoreError):  # noqa: N818 - what happened
    """The store leased ids that it had leased before: its counter was reset, restored or evicted.

    The block was not used. Set the counter above every id that is in use, then make a new source.
    """

    __module__ = "ft_local.lease"
