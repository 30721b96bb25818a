"""Sequences of several lengths, packed and padded, and what recurrent layers refuse."""

import re

import numpy as np
import pytest

import layers as nn
import minitorch as mt
from layers.utils.rnn import (
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpad_sequence,
)

LENGTHS = [2, 4, 1, 4]


def sequences():
    rng = np.random.default_rng(0)
    return [mt.tensor(rng.standard_normal((length, 3))) for length in LENGTHS]


def test_padding_and_packing_come_back_to_the_sequences():
    given = sequences()
    padded = pad_sequence(given, batch_first=True, padding_value=7.0)
    assert padded.shape == (4, 4, 3)
    assert padded[0, 2:].tolist() == [[7.0] * 3] * 2
    packed = pack_padded_sequence(padded, mt.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    assert packed.data.shape == (sum(LENGTHS), 3)
    assert packed.batch_sizes.tolist() == [4, 3, 2, 2]
    back, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=7.0)
    assert mt.equal(back, padded)
    assert lengths.tolist() == LENGTHS
    assert all(map(mt.equal, unpad_sequence(back, lengths, batch_first=True), given))


@pytest.mark.parametrize("given, said", [([], "none"), ([[1.0], [2.0]], "list, list"), ([mt.tensor(1.0)], "Tensor")])
def test_what_has_no_length_is_not_padded(given, said):
    with pytest.raises(ValueError, match=rf"^pad_sequence: expected one tensor \(length, ...\) or more, got {said}$"):
        pad_sequence(given)


@pytest.mark.parametrize("make", [nn.RNN, nn.LSTM, nn.GRU])
def test_packed_sequences_give_what_each_gives_alone(make):
    mt.manual_seed(0)
    net = make(3, 2, num_layers=2, bidirectional=True).double()
    given = [sequence.requires_grad_() for sequence in sequences()]
    packed = pack_sequence(given, enforce_sorted=False)
    output, last = net(packed)
    padded, lengths = pad_packed_sequence(output)
    apart = [net(sequence) for sequence in given]
    for mine, (alone, _) in zip(unpad_sequence(padded, lengths), apart):
        np.testing.assert_allclose(mine.detach().numpy(), alone.detach().numpy(), atol=1e-14)
    states = [last] if isinstance(last, mt.Tensor) else last
    for k, state in enumerate(states):
        kept = [alone if isinstance(alone, mt.Tensor) else alone[k] for _, alone in apart]
        np.testing.assert_allclose(state.detach().numpy(), mt.stack(kept, 1).detach().numpy(), atol=1e-14)
    together = mt.autograd.grad(output.data.square().sum(), given)
    for mine, theirs in zip(together, mt.autograd.grad(sum(out.square().sum() for out, _ in apart), given)):
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=1e-14)


def test_a_state_is_handed_on_in_the_order_of_the_sequences():
    net, given = nn.GRU(3, 2).double(), sequences()
    first = mt.tensor(np.random.default_rng(1).standard_normal((1, 4, 2)))
    _, last = net(pack_sequence(given, enforce_sorted=False), first)
    for i, sequence in enumerate(given):
        np.testing.assert_allclose(last[:, i].detach().numpy(), net(sequence, first[:, i])[1].detach().numpy(), atol=1e-14)


def test_a_sequence_may_be_run_in_two_parts():
    net, x = nn.LSTM(3, 2, num_layers=2), mt.randn(6, 4, 3)
    whole, last = net(x)
    first, state = net(x[:2])
    second, final = net(x[2:], state)
    np.testing.assert_allclose(mt.cat([first, second]).detach().numpy(), whole.detach().numpy(), atol=1e-6)
    for mine, theirs in zip(final, last):
        np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), atol=1e-6)


def test_dropout_acts_between_layers_in_training_only():
    mt.manual_seed(0)
    net, x = nn.GRU(3, 8, num_layers=2, dropout=0.5), mt.randn(5, 4, 3)
    assert not mt.equal(net(x)[0], net(x)[0])
    net.eval()
    assert mt.equal(net(x)[0], net(x)[0])
    single = nn.GRU(3, 8, dropout=0.5)
    assert mt.equal(single(x)[0], single(x)[0])


def test_packed_sequences_stay_on_the_gpu(cupy):
    given = [sequence.float() for sequence in sequences()]
    net = nn.LSTM(3, 2, bidirectional=True)
    here, _ = pad_packed_sequence(net(pack_sequence(given, enforce_sorted=False))[0])
    packed = pack_sequence([sequence.cuda() for sequence in given], enforce_sorted=False)
    there, lengths = pad_packed_sequence(net.cuda()(packed)[0])
    assert there.is_cuda
    assert lengths.tolist() == LENGTHS
    np.testing.assert_allclose(there.detach().cpu().numpy(), here.detach().numpy(), atol=1e-6)
    assert packed.to("cpu").data.device.type == "cpu"


def test_all_weights_are_listed_by_layer_and_direction():
    net = nn.LSTM(3, 2, num_layers=2, bidirectional=True, bias=False, proj_size=1)
    assert [len(weights) for weights in net.all_weights] == [3] * 4
    assert net.all_weights[1][0] is net.weight_ih_l0_reverse
    assert net.flatten_parameters() is None


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: nn.LSTM(3, 2)(mt.zeros(5, 4, 2)), "LSTM: expected input (time, n, 3), (n, time, 3) if batch_first"),
        (lambda: nn.GRU(3, 2)(mt.zeros(3)), "GRU: expected input (time, n, 3)"),
        (lambda: nn.GRU(3, 2)(mt.zeros(5, 4, 3), mt.zeros(1, 3, 2)), "GRU: expected a state of shape (1, 4, 2), got (1, 3, 2)"),
        (lambda: nn.LSTM(3, 2)(mt.zeros(5, 4, 3), [mt.zeros(1, 4, 2)]), "LSTM: expected a state of shape (1, 4, 2), (1, 4, 2)"),
        (lambda: nn.LSTM(3, 0), "LSTM: expected sizes of 1 or more, got 3, 0, num_layers 1"),
        (lambda: nn.LSTM(3, 2, proj_size=2), "LSTM: expected a proj_size (LSTM only) below hidden_size 2, got 2"),
        (lambda: nn.RNN(3, 2, nonlinearity="sigmoid"), "RNN: expected nonlinearity 'tanh' or 'relu', got 'sigmoid'"),
        (lambda: nn.RNN(3, 2, dropout=2), "RNN: expected a dropout probability from 0 to 1, got 2"),
        (lambda: nn.GRUCell(3, 2)(mt.zeros(4, 2)), "GRUCell: expected input (n, 3), got shape (4, 2)"),
        (lambda: nn.GRUCell(3, 2)(mt.zeros(4, 3), mt.zeros(3, 2)), "GRUCell: expected a state of shape (4, 2), got (3, 2)"),
        (
            lambda: nn.LSTM(2, 2)(pack_sequence(sequences(), False)),
            "LSTM: expected packed elements (count, 2), got shape (11, 3)",
        ),
        (lambda: pack_padded_sequence(mt.zeros(4, 2, 3), [2, 3]), "expected decreasing lengths, got [2, 3]"),
        (
            lambda: pack_padded_sequence(mt.zeros(4, 2, 3), [5, 3]),
            "expected 2 lengths from 1 to 4 for input (4, 2, 3), got [5, 3]",
        ),
        (lambda: pack_padded_sequence(mt.zeros(4, 2, 3), [3, 0]), "got [3, 0]"),
    ],
)
def test_what_does_not_fit_is_refused(act, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        act()


@pytest.mark.parametrize("make", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_recorded_gradient_is_that_of_an_ordinary_pass(make):
    net = make(3, 6).double()
    x = mt.tensor(np.random.default_rng(0).standard_normal((4, 2, 3)), requires_grad=True)
    leaves = [x, *net.parameters()]
    plain, recorded = (mt.autograd.grad((net(x)[0] ** 2).sum(), leaves, create_graph=record) for record in (False, True))
    for ours, theirs in zip(recorded, plain):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make, gates", [(nn.LSTM, [-16.0, -16.0, 1.0, -16.0]), (nn.GRU, [-16.0, -16.0, 0.0])])
def test_a_gate_that_is_almost_closed_keeps_its_digits(make, gates):
    """As (1 + tanh(z / 2)) / 2, a gate at -16 is wrong by 6 % in float32, and one at -20 has no gradient to open it again."""
    found = []
    for dtype in (mt.float32, mt.float64):
        net = make(1, 1).to(dtype)
        for parameter in net.parameters():
            parameter.detach().zero_()
        net.bias_ih_l0.detach().copy_(mt.tensor(gates, dtype=dtype))
        first = mt.ones(1, 1, 1, dtype=dtype)
        output, _ = net(mt.zeros(1, 1, 1, dtype=dtype), (first, first) if make is nn.LSTM else first)
        output.sum().backward()
        found.append(np.append(net.bias_ih_l0.grad.numpy(), output.item()))
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert 0 < abs(found[0][1]) < 1e-6
