"""Runs TASKS, which another script fills, on one thread. Commands are lines of JSON on stdin, answers go to stdout.

The first answer is {"version": PyTorch's, "tasks": names}. A task takes tensors and options, and gives a function; that gives a number and a list of tensors.

{"prepare": task, "options": {...}, "dims": [[...], ...]}, then the float32 tensors: {"ready": true}
{"run": true}: {"value": number, "bytes": [length, ...]}, then the tensors as float32
{"time": calls}: {"ms": milliseconds of each call}
"""
import json
import math
import sys
import time

import torch

torch.set_num_threads(1)


def read_tensor(dims):
    # A buffer of no bytes is refused.
    if math.prod(dims) == 0:
        return torch.zeros(dims)
    data = bytearray(sys.stdin.buffer.read(4 * math.prod(dims)))
    return torch.frombuffer(data, dtype=torch.float32).reshape(dims)


def answer(message, arrays=()):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n" + b"".join(arrays))
    sys.stdout.buffer.flush()


def serve():
    answer({"version": torch.__version__, "tasks": list(TASKS)})
    call = None
    while line := sys.stdin.buffer.readline():
        command = json.loads(line)
        if "prepare" in command:
            call = TASKS[command["prepare"]](*map(read_tensor, command["dims"]), **command["options"])
            answer({"ready": True})
        elif "run" in command:
            value, tensors = call()
            arrays = [tensor.float().cpu().numpy().tobytes() for tensor in tensors]
            answer({"value": value, "bytes": [len(array) for array in arrays]}, arrays)
        else:
            start = time.perf_counter()
            for _ in range(command["time"]):
                call()
            answer({"ms": (time.perf_counter() - start) * 1000 / command["time"]})


serve()
