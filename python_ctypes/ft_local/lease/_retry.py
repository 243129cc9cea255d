"""Back-off while a store is away, by tenacity."""

from __future__ import annotations

# Connecting imports this module, to encode the host's name. If the process is forked meanwhile, the
# child has a lock of the import that nobody will release, and cannot connect.
import encodings.idna  # noqa: F401
import time
from typing import TYPE_CHECKING, Any

from ._errors import StoreUnavailable
from ._source import BlockSource, Cancel, no_client

if TYPE_CHECKING:
    from collections.abc import Callable

# Between two tries: random, so that the clients of a store that comes back do not come at once.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


class NetworkSource(BlockSource):
    """A source whose store may be away."""

    __slots__ = ("_tenacity",)

    def __init__(self, store: str, block: int, *, patience: float, extra: str) -> None:
        """As of BlockSource; `extra` is the extra of ft_local that the store needs."""
        super().__init__(store, block, patience=patience)
        try:
            import tenacity  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415
        except ImportError as error:
            raise no_client(extra, error) from error
        self._tenacity: Any = tenacity

    def _retried(
        self, attempt: Callable[[], list[range]], patience: float | None, cancel: Cancel
    ) -> list[range]:
        tenacity = self._tenacity
        limit = self.patience if patience is None else patience
        stop = tenacity.stop_before_delay(limit) if limit > 0 else tenacity.stop_after_attempt(1)
        sleep = time.sleep
        if cancel is not None:
            stop = tenacity.stop_any(stop, tenacity.stop_when_event_set(cancel))
            sleep = tenacity.sleep_using_event(cancel)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailable),
            wait=tenacity.wait_random_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE),
            stop=stop,
            sleep=sleep,
            reraise=True,
        )
        ranges: list[range] = retrying(attempt)
        return ranges
