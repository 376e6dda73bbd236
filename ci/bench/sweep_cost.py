"""Letters that go round in a ring of slots in a segment: what bench holds sweeps of Python programs by."""
import sysv_ipc

SLOTS, WIDTH = 8, 64

memory = sysv_ipc.SharedMemory(None, sysv_ipc.IPC_CREX, 0o600, SLOTS * WIDTH)
try:
    for number in range(20):
        slot = number % SLOTS * WIDTH
        memory.write(b"letter %d" % number, slot)
        text = memory.read(WIDTH, slot).rstrip(b"\0").decode()
        print(text, memory.number_attached, memory.size)
    memory.detach()
    memory.attach()
    print(memory.read(8, WIDTH).decode())
finally:
    memory.remove()
