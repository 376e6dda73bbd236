"""A counter in shared memory by way of ctypes. The mistake: what shmat gives is not held against (void *)-1."""
import ctypes
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmdt.argtypes = [ctypes.c_void_p]

segment = libc.shmget(0, 4096, 0o1600)
if segment == -1:
    sys.exit("shmget failed")
address = libc.shmat(segment, None, 0)
counter = ctypes.cast(address, ctypes.POINTER(ctypes.c_int))
counter[0] += 1
print(counter[0])
failed = libc.shmctl(segment, 0, None) == -1
if libc.shmdt(address) == -1 or failed:
    sys.exit("the segment could not be let go")
