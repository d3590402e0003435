"""How this process gets memory from the C library."""

import ctypes

ARENAS = 2
_M_ARENA_MAX = -8  # malloc.h of glibc


def share_arenas() -> bool:
    """Have all threads share two arenas of glibc's malloc; to be called before there are threads. Whether it was done.

    By itself glibc gives eight arenas a core. Answers are made in up to 40 threads that come and go; each takes large
    passing buffers from the arena it was given, and what one gives back no other can use, so that the process grows
    for as long as it takes until every arena has seen the largest of everything. As threads allocate under Python's
    lock, they hardly ever wait for each other here. Other C libraries than glibc have no arenas.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, ARENAS) == 1
