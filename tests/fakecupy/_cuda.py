"""``cupy.cuda``: one device, and what it takes to ask for it. No streams, graphs, events or kernels."""

from . import _traffic
from ._functions import SurfaceModule, resolve


class CUDARuntimeError(RuntimeError):
    """What the real runtime raises."""


class Device:
    """The one device, number 0; another can be named, and not used."""

    def __init__(self, device: int = 0) -> None:
        self.id = int(device)

    def __int__(self):
        return self.id

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self):
        return hash(self.id)

    def __repr__(self):
        return f"<CUDA Device {self.id}>"

    def __enter__(self):
        self.use()
        return self

    def __exit__(self, *error):
        return None

    def use(self):
        if self.id != 0:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    def synchronize(self):
        _traffic.sync("Device.synchronize()")


def is_available():
    return True


def get_device_id():
    return 0


runtime = SurfaceModule("cupy.cuda.runtime")
runtime.CUDARuntimeError = CUDARuntimeError
runtime.getDeviceCount = lambda: 1
runtime.getDevice = lambda: 0
runtime.deviceSynchronize = lambda: _traffic.sync("deviceSynchronize()")


def __getattr__(name):
    return resolve("cupy.cuda", name)
