# ring.py FILE: rank 0 sends a megabyte made of what FILE holds to the last rank, over the others. Through ctypes, so that no
# compiler and no headers are needed.
import ctypes
import os
import sys

mpi = ctypes.CDLL("libmpi.so.40", ctypes.RTLD_GLOBAL)
world, char = (ctypes.addressof(ctypes.c_char.in_dll(mpi, f"ompi_mpi_{name}")) for name in ("comm_world", "char"))
world, char = ctypes.c_void_p(world), ctypes.c_void_p(char)
SIZE = 1 << 20

mpi.MPI_Init(None, None)
rank, count = ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(count))
rank, count = rank.value, count.value
text = open(sys.argv[1], "rb").read()
expected = (text * (SIZE // len(text) + 1))[:SIZE]
buffer = ctypes.create_string_buffer(SIZE)
if rank == 0:
    buffer.raw = expected
else:
    mpi.MPI_Recv(buffer, SIZE, char, rank - 1, 0, world, None)
if rank + 1 < count:
    mpi.MPI_Send(buffer, SIZE, char, rank + 1, 0, world)
print(rank, count, buffer.raw == expected, os.readlink("/proc/self/ns/mnt"), flush=True)
mpi.MPI_Finalize()
