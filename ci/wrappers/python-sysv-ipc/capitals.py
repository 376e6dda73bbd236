"""Hands a text to another process in a segment, and takes its answer from there."""
import multiprocessing
import sys

import sysv_ipc

KEY = 0x53484D31


def new_segment():
    """Makes a segment of its own: a run that was killed may have left another."""
    try:
        return sysv_ipc.SharedMemory(KEY, sysv_ipc.IPC_CREX, init_character=b"\0")
    except sysv_ipc.ExistentialError:
        stale = sysv_ipc.SharedMemory(KEY)
        stale.remove()
        stale.detach()
        return sysv_ipc.SharedMemory(KEY, sysv_ipc.IPC_CREX, init_character=b"\0")


def answer():
    memory = sysv_ipc.SharedMemory(KEY)
    text = memory.read().rstrip(b"\0")
    memory.write(text.upper())
    memory.detach()


def main():
    memory = new_segment()
    try:
        memory.write(b"what is shared")
        worker = multiprocessing.Process(target=answer)
        worker.start()
        worker.join()
        with memoryview(memory) as view:
            print(bytes(view[:14]).decode(), "of", memory.size, "bytes")
    finally:
        memory.remove()
        memory.detach()
    return worker.exitcode


if __name__ == "__main__":
    sys.exit(main())
