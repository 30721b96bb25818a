"""How fast minitorch is, beside PyTorch, JAX and others on the same machine in the same minutes.

    pip install '.[examples]' torch==2.13.0 jax mygrad autograd    # the peers, as far as you want them
    python -m benchmarks                       # everything
    python -m benchmarks --quick               # a small version, to see that it works; its figures mean little
    python -m benchmarks steps ops             # some subjects: steps, parts, job, ops, overhead, growth, memory
    python -m benchmarks steps --device cuda   # steps, job and ops can be run on a GPU, beside PyTorch on the same one

Writes one JSON file for each subject, `speed.md` with all tables and targets, and the plots. The subjects of earlier commands
in the same folder stay in the tables, so the benchmark can be run in pieces.

How it measures. Every contender is a process of its own, whose threads are set by its environment before NumPy is loaded. The
contenders of a case take turns, A B C A B C ..., a handful of calls each, so that whatever slows the machine down slows all of
them; each turn starts with one call that is not counted. A round's figure is the median of the turn's calls, and a ratio is
taken within the round. Tables give the medians over the rounds, and for ratios also the 10 and 90 % quantiles. The nets of a
case have the same weights and the same data, and the losses of their first three steps must agree to 1e-4. Peers are written as
their documentation would have a user write them; those that are not installed are left out, and named.
DeZero 0.0.13 fails to import with NumPy 2, which minitorch needs; Chainer was not tried.

Only processes that measure minitorch import it: it changes how the C library hands out memory, which would speed up the others.
"""
