"""Small nets for what a module does, whichever it is."""

import layers as nn
import minitorch as mt


class Net(nn.Module):
    """A parameter, a buffer of each sort, and two layers."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(mt.ones(1))
        self.register_buffer("seen", mt.zeros((), dtype=mt.int64))
        self.register_buffer("scratch", mt.zeros(2), persistent=False)
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        return self.second(self.first(x).relu()) * self.scale


class Siamese(nn.Module):
    """One branch under two names."""

    def __init__(self, branch):
        super().__init__()
        self.left = branch
        self.right = branch

    def forward(self, a, b):
        return self.left(a) - self.right(b) * 2


def names(pairs):
    return [name for name, _ in pairs]
