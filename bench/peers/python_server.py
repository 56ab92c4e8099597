"""Runs TASKS, which another script fills, on one thread. Commands are lines of JSON on stdin, answers go to stdout.

The script also has the NAME of what it measures, BYTES_EACH of an input's values, read(bytes, dims), which makes an input, and write(array),
the bytes of a result in float32. The first answer is {"name": NAME, "tasks": names}. A task takes inputs and options, and gives a
function; that gives a number and a list of arrays.

{"prepare": task, "options": {...}, "dims": [[...], ...]}, then the inputs' bytes: {"ready": true}
{"run": true}: {"value": number, "bytes": [length, ...]}, then the arrays
{"time": calls}: {"ms": milliseconds of each call}
"""
import json
import math
import sys
import time


def receive(dims):
    return read(bytearray(sys.stdin.buffer.read(BYTES_EACH * math.prod(dims))), dims)


def answer(message, arrays=()):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n" + b"".join(arrays))
    sys.stdout.buffer.flush()


def serve():
    answer({"name": NAME, "tasks": list(TASKS)})
    call = None
    while line := sys.stdin.buffer.readline():
        command = json.loads(line)
        if "prepare" in command:
            call = TASKS[command["prepare"]](*map(receive, command["dims"]), **command["options"])
            answer({"ready": True})
        elif "run" in command:
            value, found = call()
            arrays = [write(array) for array in found]
            answer({"value": value, "bytes": [len(array) for array in arrays]}, arrays)
        else:
            start = time.perf_counter()
            for _ in range(command["time"]):
                call()
            answer({"ms": (time.perf_counter() - start) * 1000 / command["time"]})


serve()
