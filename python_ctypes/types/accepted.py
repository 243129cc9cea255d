"""What a user may write. pyright reads this and does not run it."""

from ft_local import (
    BatchExecutor,
    Cursor,
    EndOfSource,
    LocalWrapper,
    contention,
    immortal,
    intern,
    localize,
    share,
    sharing,
)

wrapper = LocalWrapper([1])
values: list[int] = wrapper.wrapped
wrapper.append(2)
executor = BatchExecutor(int, 4)
local: LocalWrapper[BatchExecutor[int]] = executor.as_local()
number: int = local.wrapped.load(timeout=1.5)
many: list[int] = executor.load_many(2)
bulk: BatchExecutor[int] = BatchExecutor(lambda n: range(n), 8, bulk=True)
with bulk.cursor() as cursor:
    mine: Cursor[int] = cursor
    numbers: list[int] = [*cursor]
try:
    total: int = sum(executor)
except EndOfSource:
    executor.close()
made: int = executor.stats().produced
same: BatchExecutor[int] = share(executor, deep=True)
own: BatchExecutor[int] = localize(executor)
names: dict[str, int] = immortal(lambda: intern({"a": 1}))
if sharing(names) == "immortal":
    names.clear()
with contention(most=3) as report:
    places: list[str | None] = [one.path for one in report.objects]
with executor.prefilling(2, retry_after=None) as ahead:
    runs: bool = ahead.running
