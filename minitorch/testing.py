"""`torch.testing`: assertions for tests."""

from __future__ import annotations

from typing import Any

from minitorch import backend
from minitorch.autograd.tensor import Tensor
from minitorch.creation import as_tensor
from minitorch.ops.compare import isclose

_TOLERANCES = {backend.float16: (1e-3, 1e-5), backend.float32: (1.3e-6, 1e-5), backend.float64: (1e-7, 1e-7)}
_TOLERANCES |= {backend.complex64: _TOLERANCES[backend.float32], backend.complex128: _TOLERANCES[backend.float64]}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_dtype: bool = True,
    msg: str | None = None,
) -> None:
    """Raise AssertionError unless |actual - expected| <= atol + rtol |expected| everywhere, and shapes and dtypes agree."""
    options: dict[str, Any] = {"rtol": rtol, "atol": atol, "equal_nan": equal_nan, "check_dtype": check_dtype, "msg": msg}
    if isinstance(expected, (dict, list, tuple)):
        keys, own = (list(x) if isinstance(x, dict) else list(range(len(x))) for x in (expected, actual))
        assert set(own) == set(keys), msg or f"assert_close: expected entries {keys}, got {own}"
        for key in keys:
            assert_close(actual[key], expected[key], **options)
        return
    a, b = (value.detach() if isinstance(value, Tensor) else as_tensor(value) for value in (actual, expected))
    assert a.shape == b.shape, msg or f"assert_close: expected shape {tuple(b.shape)}, got {tuple(a.shape)}"
    assert a.dtype == b.dtype or not check_dtype, msg or f"assert_close: expected {b.dtype}, got {a.dtype}"
    if (rtol is None) != (atol is None):
        raise ValueError("assert_close: expected both rtol and atol, or neither")
    defaults = [_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (a, b)]
    relative, absolute = max(defaults) if rtol is None or atol is None else (rtol, atol)
    kinds = {a.dtype.kind, b.dtype.kind}
    wide = backend.complex128 if "c" in kinds else backend.float64 if kinds & {*"fb"} else backend.int64
    a, b = a.type(wide), b.type(wide)
    wrong = ~isclose(a, b, relative, absolute, equal_nan)
    if bool(wrong.any()):
        apart = float((a - b).abs().max())
        said = f"{int(wrong.sum())} of {a.numel()} elements differ, by at most {apart:g}"
        raise AssertionError(msg or f"assert_close: {said}, more than {absolute:g} + {relative:g} times the expected")


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True
) -> None:
    """The older form of `assert_close`: dtypes may differ and, by default, nan equals nan."""
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False)
