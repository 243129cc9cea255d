"""What a user must not write: pyright complains of a line here whose error it does not find."""

import ft_local

ft_local.get_local_wrapper  # pyright: ignore
ft_local.LocalWrapper.get_wrapped  # pyright: ignore
ft_local.LocalWrapper([1]).wrapped = [2]  # pyright: ignore
ft_local.BatchExecutor(int, "4")  # pyright: ignore
ft_local.BatchExecutor(int, 4).load(1, 2)  # pyright: ignore
text: str = ft_local.BatchExecutor(int, 4).load()  # pyright: ignore
ft_local.BatchExecutor(int, 4).cursor().steal()  # pyright: ignore
ft_local.BatchExecutor(int, 4, on_fork="explode")  # pyright: ignore
ft_local.BatchExecutor(int, 4).stats().misses  # pyright: ignore
ft_local.BatchExecutor(int, 4).prefilling("2")  # pyright: ignore
ft_local.share([], True)  # pyright: ignore
ft_local.immortal([])  # pyright: ignore
ft_local.sharing([]) == "forgotten"  # pyright: ignore
ft_local.contention(3)  # pyright: ignore
