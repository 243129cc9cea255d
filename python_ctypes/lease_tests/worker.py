"""A process that uses ids until it is killed or has had enough, and writes each to its output.

    worker.py STORE ADDRESS NAME BLOCK THREADS COUNT [fork]

COUNT is how many ids each thread uses; 0 for no limit. An id is used when its 8 bytes are written.
With `fork`, the threads use ids in the process and, at the same time, in two children of it.
"""

import os
import sys
import threading

from ft_local.lease import StoreUnavailable

from stores import make_lease


def use(ids, count):
    done = 0
    while count == 0 or done < count:
        try:
            many = ids.load_many(1 if count == 0 else min(64, count - done))
        except StoreUnavailable:
            continue
        os.write(1, b"".join(one.to_bytes(8, "little") for one in many))
        done += len(many)


def run_threads(ids, threads, count):
    workers = [threading.Thread(target=use, args=(ids, count)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    return workers


def main(arguments):
    store, address, name, *numbers = arguments[:6]
    block, threads, count = map(int, numbers)
    forks = arguments[6:]
    ids = make_lease(store, address, name, block)
    workers = run_threads(ids, threads, count)
    children = []
    for _ in range(2 * len(forks)):
        # With some of the block in use, and the fetcher at work.
        child = os.fork()
        if child == 0:
            for worker in run_threads(ids, threads, count):
                worker.join()
            os._exit(0)
        children.append(child)
    for worker in workers:
        worker.join()
    failed = [os.waitpid(child, 0)[1] for child in children]
    ids.close()
    return any(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
