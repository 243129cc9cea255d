"""The program of main.c through cffi: main.py CDEF LIBRARY, as they are installed."""

import sys
from itertools import count
from pathlib import Path

from cffi import FFI

ffi = FFI()
ffi.cdef(Path(sys.argv[1]).read_text())
lib = ffi.dlopen(sys.argv[2])
numbers = count(1)


@ffi.callback("void *(void *)")
def next_number(_ctx):
    return ffi.cast("void *", next(numbers))


host, source = ffi.new("ft_local_host *"), ffi.new("ft_local_source *")
assert lib.ft_local_host_init(host, ffi.sizeof(host[0])) == lib.FT_LOCAL_OK
assert lib.ft_local_source_init(source, ffi.sizeof(source[0])) == lib.FT_LOCAL_OK
source.next_plain = next_number
batch, out = ffi.new("ft_local_batch **"), ffi.new("void **")
assert lib.ft_local_batch_new(host, source, 8, batch) == lib.FT_LOCAL_OK
total = 0
for _ in range(100):
    assert lib.ft_local_batch_load(batch[0], out) == lib.FT_LOCAL_OK
    total += int(ffi.cast("uintptr_t", out[0]))
lib.ft_local_batch_free(batch[0])
assert total == 5050
assert lib.FT_LOCAL_FORK_KEEP == 1, "plain numbers are declared too"
assert lib.ft_local_abi_version() == lib.FT_LOCAL_ABI_VERSION
print("ft_local", ffi.string(lib.ft_local_version()).decode(), total)
