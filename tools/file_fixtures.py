"""Writes test/fixtures/files.json: files as NumPy and the safetensors library write them, in base64.

Run by hand (python3 tools/file_fixtures.py; needs numpy and safetensors).
"""

import base64
import io
import json
from pathlib import Path

import numpy
from safetensors import TensorSpec, serialize

TARGET = Path(__file__).parent.parent / "test/fixtures/files.json"
TYPES = [
    *["float32", "float16", "float64", "int8", "uint8", "int16", "uint16"],
    *["int32", "uint32", "int64", "uint64", "bool"],
]
FLOATS = [0, -1.5, 0.25, 1024, float("inf"), 6.103515625e-05]
INTEGERS = [0, 1, 2, 100, 127, 5]


def values(dtype):
    if dtype == "bool":
        return numpy.array(INTEGERS).reshape(2, 3) % 2 == 1
    return numpy.array(FLOATS if dtype.startswith("float") else INTEGERS, dtype).reshape(2, 3)


def text(data):
    return base64.b64encode(data).decode()


def npy(array, version=None):
    file = io.BytesIO()
    numpy.lib.format.write_array(file, array, version)
    return text(file.getvalue())


def npz():
    file = io.BytesIO()
    numpy.savez(file, a=values("float32"))
    return text(file.getvalue())


def safetensors():
    # bfloat16, which NumPy has not, is the upper half of float32.
    upper = (numpy.array(FLOATS, "float32").reshape(2, 3).view("uint32") >> 16).astype("uint16")
    arrays = {
        **{dtype: (dtype, values(dtype)) for dtype in TYPES},
        "bfloat16": ("bfloat16", upper),
        "empty": ("float32", numpy.zeros((0, 4), "float32")),
        "scalar": ("float32", numpy.array(7, "float32")),
    }
    tensors = {
        name: TensorSpec(dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes)
        for name, (dtype, array) in arrays.items()
    }
    return text(serialize(tensors, {"head": "gfl", "classes": "circle,square"}))


def main():
    fixture = {
        "floats": ["Infinity" if value == float("inf") else value for value in FLOATS],
        "integers": INTEGERS,
        "npy": {dtype: npy(values(dtype)) for dtype in TYPES},
        "versions": [npy(values("float32"), version) for version in [(1, 0), (2, 0), (3, 0)]],
        "scalar": npy(numpy.array(7, "float32")),
        "empty": npy(numpy.zeros((0, 4), "float32")),
        "refused": {
            "big-endian float32": npy(values("float32").astype(">f4")),
            "Fortran order": npy(numpy.asfortranarray(values("float32"))),
            "complex64": npy(values("float32").astype("complex64")),
            '"<U3"': npy(numpy.array(["abc"])),
            "no simple dtype": npy(numpy.zeros(2, [("a", "<f4"), ("b", "<i4")])),
            ".npz archive": npz(),
        },
        "safetensors": safetensors(),
    }
    TARGET.write_text(json.dumps(fixture, indent=2) + "\n")


main()
