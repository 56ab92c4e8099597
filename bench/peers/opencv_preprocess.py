"""Preprocessing by OpenCV and its dnn module, as Python programs do it: a task of python_server.py."""
import cv2
import numpy

NAME = f"OpenCV {cv2.__version__}, one thread"
BYTES_EACH = 1
METHODS = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "bicubic": cv2.INTER_CUBIC}
cv2.setNumThreads(1)


def read(data, dims):
    return numpy.frombuffer(data, dtype=numpy.uint8).reshape(dims)


def write(array):
    return array.astype(numpy.float32).tobytes()


def letterbox(rgba, resize, size):
    """RGBA to planes of RGB from 0 to 1, in the middle of a square of grey."""
    method = METHODS[resize]

    def run():
        rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
        height, width = rgb.shape[:2]
        ratio = min(size / height, size / width)
        new_width, new_height = round(width * ratio), round(height * ratio)
        small = cv2.resize(rgb, (new_width, new_height), interpolation=method)
        left, top = (size - new_width) // 2, (size - new_height) // 2
        sides = (top, size - new_height - top, left, size - new_width - left)
        padded = cv2.copyMakeBorder(small, *sides, cv2.BORDER_CONSTANT, value=(114, 114, 114))
        return 0, [cv2.dnn.blobFromImage(padded, 1 / 255)]

    return run


TASKS = {"letterbox": letterbox}
