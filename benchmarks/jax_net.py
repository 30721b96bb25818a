"""The jitted training step of report 001's third net in JAX, with channels-last images and pooling by reshape and maximum."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle
from typing import Any

from benchmarks.nets import MAIN_NET, batches, shared_weights
from benchmarks.timing import Work

RATE, WEIGHT_DECAY, ALPHA = 9e-2, 5e-4, 0.75
EPS, MOMENTUM = 1e-5, 0.1
# fmt: off
SHAPES = {  # the names and shapes in the state dict of the other frameworks' nets
    "digit.0.weight": (32, 1, 3, 3), "digit.0.bias": (32,), "digit.3.weight": (64, 32, 3, 3), "digit.3.bias": (64,),
    "digit.7.weight": (200, 256), "digit.7.bias": (200,), "digit.11.weight": (100, 200), "digit.11.bias": (100,),
    "digit.15.weight": (10, 100), "digit.15.bias": (10,),
    "compare.0.weight": (150, 20), "compare.0.bias": (150,), "compare.4.weight": (50, 150), "compare.4.bias": (50,),
    "compare.8.weight": (2, 50), "compare.8.bias": (2,),
}
# fmt: on
NORMS = {"digit.9": 200, "digit.13": 100, "compare.2": 150, "compare.6": 50}


def train(net: str, data: str, threads: int, check: bool = True) -> Work:
    """The same work as `steps.train`. XLA uses one thread for each core, so the process is limited to `threads` cores."""
    assert net == MAIN_NET
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import jax
    import jax.numpy as jnp

    def stepper(dtype: Any, rate_of_dropout: float) -> tuple[int, Callable[[], float]]:
        parameters = {name: jnp.asarray(array, dtype) for name, array in shared_weights(SHAPES.items()).items()}
        for name in ("digit.0.weight", "digit.3.weight"):
            parameters[name] = parameters[name].transpose(2, 3, 1, 0)
        # rows of 64 channels of 2x2 places become rows of 2x2 places of 64 channels
        parameters["digit.7.weight"] = parameters["digit.7.weight"].reshape(200, 64, 4).swapaxes(1, 2).reshape(200, 256)
        for name, size in NORMS.items():
            parameters |= {f"{name}.weight": jnp.ones(size, dtype), f"{name}.bias": jnp.zeros(size, dtype)}
        statistics = {name: (jnp.zeros(size, dtype), jnp.ones(size, dtype)) for name, size in NORMS.items()}
        state = parameters, statistics, jax.random.key(0)
        turns = cycle(
            (jnp.asarray(inputs, dtype).transpose(0, 2, 3, 1), jnp.asarray(targets), jnp.asarray(classes))
            for inputs, targets, classes in batches(net, data)
        )
        step = jax.jit(_step(jax, jnp, rate_of_dropout))

        def call() -> float:
            nonlocal state
            *state, loss = step(*state, *next(turns))
            return float(loss)

        return sum(array.size for array in parameters.values()), call

    facts = {}
    if check:
        with jax.enable_x64(True):
            parameters, step = stepper(jnp.float64, 0.0)
            facts = {"parameters": parameters, "losses": [step() for _ in range(3)]}
    return Work(stepper(jnp.float32, 0.2)[1], facts)


def _step(jax: Any, jnp: Any, rate_of_dropout: float) -> Any:
    """The function that is compiled: from parameters, statistics, random key and batch to the next three and the loss."""

    def convolve(p: Any, name: str, x: Any) -> Any:
        layout = ("NHWC", "HWIO", "NHWC")
        return (
            jax.lax.conv_general_dilated(x, p[f"{name}.weight"], (1, 1), "VALID", dimension_numbers=layout) + p[f"{name}.bias"]
        )

    def linear(p: Any, name: str, x: Any) -> Any:
        return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]

    def pool(x: Any) -> Any:
        n, h, w, c = x.shape
        return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))

    def block(p: Any, s: dict, key: Any, layer: str, norm: str, x: Any) -> Any:
        """Linear, ReLU, batch norm, dropout."""
        x = jax.nn.relu(linear(p, layer, x))
        mean, variance, n = x.mean(0), x.var(0), len(x)
        before = s[norm]
        s[norm] = (
            (1 - MOMENTUM) * before[0] + MOMENTUM * mean,
            (1 - MOMENTUM) * before[1] + MOMENTUM * variance * n / (n - 1),
        )
        x = (x - mean) / jnp.sqrt(variance + EPS) * p[f"{norm}.weight"] + p[f"{norm}.bias"]
        if not rate_of_dropout:
            return x
        return jnp.where(jax.random.bernoulli(key, 1 - rate_of_dropout, x.shape), x / (1 - rate_of_dropout), 0.0)

    def digit(p: Any, s: dict, keys: Any, x: Any) -> Any:
        x = jax.nn.relu(pool(convolve(p, "digit.0", x)))
        x = jax.nn.relu(pool(convolve(p, "digit.3", x))).reshape(len(x), -1)
        x = block(p, s, keys[0], "digit.7", "digit.9", x)
        x = block(p, s, keys[1], "digit.11", "digit.13", x)
        return jax.nn.softmax(linear(p, "digit.15", x))

    def cross_entropy(scores: Any, classes: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), classes[:, None], 1).mean()

    def loss_of(p: Any, s: dict, key: Any, pairs: Any, targets: Any, classes: Any) -> Any:
        s, keys = dict(s), jax.random.split(key, 6)
        first, second = digit(p, s, keys[:2], pairs[..., :1]), digit(p, s, keys[2:4], pairs[..., 1:])
        x = block(p, s, keys[4], "compare.0", "compare.2", jnp.concatenate([first, second], 1))
        x = block(p, s, keys[5], "compare.4", "compare.6", x)
        answer = jax.nn.softmax(linear(p, "compare.8", x))
        digits = cross_entropy(first, classes[:, 0]) + cross_entropy(second, classes[:, 1])
        return cross_entropy(answer, targets) + ALPHA * digits, s

    def step(p: Any, s: dict, key: Any, pairs: Any, targets: Any, classes: Any) -> Any:
        key, now = jax.random.split(key)
        (loss, s), gradients = jax.value_and_grad(loss_of, has_aux=True)(p, s, now, pairs, targets, classes)
        p = jax.tree.map(lambda weight, slope: weight - RATE * (slope + WEIGHT_DECAY * weight), p, gradients)
        return p, s, key, loss

    return step
