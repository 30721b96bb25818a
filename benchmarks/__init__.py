"""How fast minitorch is, beside PyTorch, JAX and others on the same machine in the same minutes.

    pip install '.[benchmarks]'                # minitorch with all the frameworks that it is compared with
    python -m benchmarks                       # everything
    python -m benchmarks --quick               # a small version, to see that it works; its figures mean little
    python -m benchmarks steps ops             # only some subjects: steps, parts, job, ops, overhead, growth, memory
    python -m benchmarks steps --device cuda   # steps, job and ops can run on a GPU, beside PyTorch on the same GPU

The command writes one JSON file for each subject, `speed.md` with all tables and targets, and the plots. The subjects that
earlier commands wrote to the same folder stay in the tables, so the benchmark can be run in pieces.

How it measures: every contender runs in a separate process, whose number of threads is set by its environment before NumPy is
loaded. The contenders of a case take turns, A B C A B C ..., with a few calls each, so that whatever slows the machine down
slows all of them. Each turn starts with one call that is not counted. The figure of a round is the median of the turn's calls,
and a ratio compares figures of the same round. The tables give the medians over the rounds, and for ratios also the 10 % and
90 % quantiles. The nets of a training step have the same weights and the same data, and the losses of their first three steps
must agree to 1e-4. The code for each peer follows its documentation. Peers that are not installed are left out, and the page
names them. DeZero 0.0.13 cannot be imported with NumPy 2, which minitorch needs; Chainer was not tried.

Only the processes that measure minitorch import it, because it changes how the C library manages memory, which would make the
other contenders faster.
"""
