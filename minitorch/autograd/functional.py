"""Whole derivatives of a function: its Jacobian, its Hessian, and products with them (`torch.autograd.functional`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.grad_mode import enable_grad
from minitorch.autograd.partial import grad
from minitorch.autograd.tensor import Tensor

Several = Tensor | tuple[Tensor, ...]


def _run(func: Callable[..., Any], inputs: Several, create_graph: bool) -> tuple[tuple[Tensor, ...], Any]:
    """The inputs, as leaves of a graph of their own or, with `create_graph`, of theirs, and what `func` makes of them."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    with enable_grad():
        points = tuple(x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in given)
        return points, func(*points)


def _each(values: Any, function: Callable[[Tensor], Any]) -> Any:
    return tuple(map(function, values)) if isinstance(values, tuple) else function(values)


def _by(output: Tensor, points: tuple[Tensor, ...], v: Tensor | None, create_graph: bool, strict: bool) -> tuple[Tensor, ...]:
    """The gradients of `output` by `points`, zeros where none arrives, or with `strict` a RuntimeError."""
    found: tuple[Tensor | None, ...] = (None,) * len(points)
    if output.requires_grad:
        found = grad(output, points, v, retain_graph=True, create_graph=create_graph, allow_unused=True)
    if strict and any(g is None for g in found):
        raise RuntimeError("strict: an output does not depend on an input, whose derivative is 0 with strict=False")
    return tuple(x.new_zeros(x.shape) if g is None else g for g, x in zip(found, points))


def vjp(
    func: Callable[..., Any], inputs: Several, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`func(*inputs)`, and v times its Jacobian: one backward pass that starts from `v`, which is 1 for a single number.

    Raises RuntimeError unless `v` has the shapes of the outputs, and without `v` for more than one number.
    """
    return _product("vjp", func, inputs, v, create_graph, strict)


def jvp(
    func: Callable[..., Any], inputs: Several, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`func(*inputs)`, and its Jacobian times v, which is 1 for a single number: J^T w is linear in w, and J its derivative.

    Raises RuntimeError unless `v` has the shapes of the inputs, and without `v` for more than one number.
    """
    points, outputs = _run(func, inputs, create_graph)
    several = outputs if isinstance(outputs, tuple) else (outputs,)

    def transposed(*weights: Tensor) -> Any:
        moved = _transposed(several, points, weights, True, strict)
        return moved if isinstance(inputs, tuple) else moved[0]

    zeros = tuple(y.detach().new_zeros(y.shape).requires_grad_() for y in several)
    _, products = _product("jvp", transposed, zeros, v, create_graph, strict)
    result = outputs if create_graph else _each(outputs, lambda y: y.detach())
    return result, products if isinstance(outputs, tuple) else products[0]


def _transposed(outputs: Any, points: Any, weights: Any, create_graph: bool, strict: bool) -> tuple[Tensor, ...]:
    """The weights times the Jacobians of the outputs, added up for each of the points."""
    found = [_by(output, points, weight, create_graph, strict) for output, weight in zip(outputs, weights)]
    return tuple(sum(rest, first) for first, *rest in zip(*found))


def _product(name: str, func: Callable[..., Any], inputs: Several, v: Any, create_graph: bool, strict: bool) -> tuple[Any, Any]:
    points, outputs = _run(func, inputs, create_graph)
    several = outputs if isinstance(outputs, tuple) else (outputs,)
    weights = () if v is None else v if isinstance(v, (tuple, list)) else (v,)
    if v is None and len(several) == several[0].numel() == 1:
        weights = (several[0].new_ones(several[0].shape),)
    if [y.shape for y in several] != [weight.shape for weight in weights]:
        expected, got = (", ".join(str(tuple(y.shape)) for y in each) or "none" for each in (several, weights))
        raise RuntimeError(f"{name}: expected vectors of shapes {expected}, got {got}")
    sums = _transposed(several, points, weights, create_graph, strict)
    result = outputs if create_graph else _each(outputs, lambda y: y.detach())
    return result, sums if isinstance(inputs, tuple) else sums[0]


def jacobian(
    func: Callable[..., Any], inputs: Several, create_graph: bool = False, strict: bool = False, vectorize: bool = False
) -> Any:
    """The derivative of each number of `func(*inputs)` by each of the inputs: shape output + input; one pass per number.

    A tuple of inputs gives a tuple of derivatives, a tuple of outputs a tuple of these. With `create_graph` it can be
    differentiated again; `vectorize` has no effect. Raises RuntimeError with `strict` where an output does not depend on an
    input.
    """
    points, outputs = _run(func, inputs, create_graph)

    def of(y: Tensor) -> Any:
        with enable_grad():
            found = tuple(x.new_zeros(y.numel(), *x.shape) for x in points)
            for i, number in enumerate(y.reshape(-1)):
                for rows, row in zip(found, _by(number, points, None, create_graph, strict)):
                    rows[i] = row
            found = tuple(rows.reshape(*y.shape, *x.shape) for rows, x in zip(found, points))
        return found if isinstance(inputs, tuple) else found[0]

    return _each(outputs, of)


def hessian(
    func: Callable[..., Tensor], inputs: Several, create_graph: bool = False, strict: bool = False, vectorize: bool = False
) -> Any:
    """The second derivatives of `func(*inputs)` by each pair of numbers of the inputs; `vectorize` has no effect.

    Raises RuntimeError unless the function gives a single number.
    """
    return jacobian(_gradient(func, inputs, strict, []), inputs, create_graph, strict)


def hvp(
    func: Callable[..., Tensor], inputs: Several, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`func(*inputs)` and its Hessian times v: two passes, whatever the number of inputs. Raises as `hessian` and `vjp`."""
    values: list[Tensor] = []
    _, product = _product("hvp", _gradient(func, inputs, strict, values), inputs, v, create_graph, strict)
    return values[0] if create_graph else values[0].detach(), product


def _gradient(func: Callable[..., Tensor], inputs: Several, strict: bool, values: list[Tensor]) -> Callable[..., Any]:
    """The function that computes the gradient of `func`, recorded, at other points than `inputs`; adds what `func` gives."""

    def single(*points: Tensor) -> Tensor:
        value = func(*points)
        if value.numel() != 1:
            raise RuntimeError(f"hessian: expected a function that gives a single number, got shape {tuple(value.shape)}")
        values.append(value)
        return value.reshape(())

    return lambda *points: jacobian(single, points if isinstance(inputs, tuple) else points[0], True, strict)
