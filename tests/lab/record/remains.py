"""Prints where a sparse image is not zero: see remains.sh."""
import os
import sys

BLOCK, HEAD = 4096, 128
ZERO = bytes(BLOCK)
image = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(image).st_size
heads, runs, at = {}, [], 0
while at < size:
    try:
        at = os.lseek(image, at, os.SEEK_DATA)
    except OSError:
        break
    end = os.lseek(image, at, os.SEEK_HOLE)
    at -= at % BLOCK
    while at < end:
        data = os.pread(image, min(1 << 20, end - at), at)
        for place in range(0, len(data), BLOCK):
            block = data[place : place + BLOCK]
            if block == ZERO[: len(block)]:
                continue
            number = (at + place) // BLOCK
            if runs and runs[-1][0] + runs[-1][1] == number:
                runs[-1][1] += 1
            else:
                head = block[:HEAD].rstrip(b"\0").hex()
                runs.append([number, 1, heads.setdefault(head, len(heads))])
        at += len(data)
print("size", size)
for head, index in heads.items():
    print("head", index, head or "-")
for run in runs:
    print("run", *run)
