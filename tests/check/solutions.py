"""The exercises, solved."""

from __future__ import annotations

import numpy as np

import minitorch as torch
from minitorch.check import exercises


class Square(exercises.Square):
    def backward(ctx, g):
        (a,) = ctx.saved
        return g * a * 2


class Mul(exercises.Mul):
    def backward(ctx, g):
        a, b = ctx.saved
        return g * b, g * a


class Div(exercises.Div):
    def backward(ctx, g):
        a, b = ctx.saved
        return g / b, -g * a / (b * b)


class Exp(exercises.Exp):
    def backward(ctx, g):
        (out,) = ctx.saved
        return g * out


class Tanh(exercises.Tanh):
    def backward(ctx, g):
        (out,) = ctx.saved
        return g * (1 - out * out)


class Sigmoid(exercises.Sigmoid):
    def backward(ctx, g):
        (out,) = ctx.saved
        return g * out * (1 - out)


class Relu(exercises.Relu):
    def backward(ctx, g):
        (a,) = ctx.saved
        return g * (a > 0)


class AddRow(exercises.AddRow):
    def backward(ctx, g):
        return g, g.sum(0)


class ScaleRows(exercises.ScaleRows):
    def backward(ctx, g):
        x, s = ctx.saved
        return g * s, (g * x).sum(1).reshape(s.shape)


class SumRows(exercises.SumRows):
    def backward(ctx, g):
        return g.reshape(1, -1) * np.ones((ctx.size[0], 1), g.dtype)


class MeanRows(exercises.MeanRows):
    def backward(ctx, g):
        n = ctx.size[0]
        return g.reshape(1, -1) * np.full((n, 1), 1 / n, g.dtype)


class MaxRow(exercises.MaxRow):
    def backward(ctx, g):
        (largest,) = ctx.saved
        return g.reshape(-1, 1) * largest


class Matmul(exercises.Matmul):
    def backward(ctx, g):
        a, b = ctx.saved
        return g @ b.T, a.T @ g


class Linear(exercises.Linear):
    def backward(ctx, g):
        x, w = ctx.saved
        return g @ w, g.T @ x, g.sum(0)


class Softmax(exercises.Softmax):
    def backward(ctx, g):
        (out,) = ctx.saved
        return out * (g - (g * out).sum(1).reshape(-1, 1))


class LogSoftmax(exercises.LogSoftmax):
    def backward(ctx, g):
        (out,) = ctx.saved
        return g - torch.exp(out) * g.sum(1).reshape(-1, 1)


class CrossEntropy(exercises.CrossEntropy):
    def backward(ctx, g):
        p, target = ctx.saved
        return g * (p - np.eye(p.shape[1], dtype=p.dtype)[target]) / len(p), None


class Im2colConv(exercises.Im2colConv):
    def backward(ctx, g):
        w, columns = ctx.saved
        n, filters, rows, cols = g.shape
        _, c, k, _ = w.shape
        g = g.reshape(n, filters, rows * cols)
        dw = (g @ columns.swapaxes(1, 2)).sum(0).reshape(w.shape)
        patches = (w.reshape(filters, -1).T @ g).reshape(n, c, k, k, rows, cols)
        dx = np.zeros(ctx.size, g.dtype)
        for i in range(k):
            for j in range(k):
                dx[:, :, i : i + rows, j : j + cols] += patches[:, :, i, j]
        return dx, dw


class Normalize(exercises.Normalize):
    def backward(ctx, g):
        (x,) = ctx.saved
        n = x.shape[0]
        centred = x - x.sum(0) / n
        inverse = ((centred * centred).sum(0) / n + 1e-5) ** -0.5
        out = centred * inverse
        return inverse * (g - g.sum(0) / n - out * ((g * out).sum(0) / n))
