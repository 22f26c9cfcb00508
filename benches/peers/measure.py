"""Runs a command and writes its seconds, CPU seconds, peak memory in bytes and exit code, as JSON, to the file named first.

A program of its own because a process counts the memory of the one it was forked from as its own peak: this one is small.
"""

import os
import sys
import time

target, *command = sys.argv[1:]
start = time.monotonic()
process = os.posix_spawn(command[0], command, os.environ)
_, status, used = os.wait4(process, 0)
seconds = time.monotonic() - start
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
with open(target, "w") as file:
    file.write(
        f'{{"seconds": {seconds}, "cpu": {used.ru_utime + used.ru_stime}, "peak": {peak}, '
        f'"code": {os.waitstatus_to_exitcode(status)}}}'
    )
