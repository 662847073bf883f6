"""Recurrent networks read step by step; torch has one call for all steps, layers and directions.

Gates in the order of torch: input, forget, cell, output of an LSTM; reset, update, new of a GRU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bioloom.explanation.rules.given import refusal

State = tuple[Tensor, ...]
"""What is carried from step to step, (records, hidden) each."""

Cell = Callable[[Tensor, State, Sequence[Any]], State]
"""(input, state, weights) -> the new state, whose first part is also what is said."""


def _lstm(x: Tensor, state: State, weights: Sequence[Any]) -> State:
    hidden, cell = state
    told = _told(x, hidden, weights)
    enter, forget, new, leave = told.chunk(4, dim=1)
    cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
    return leave.sigmoid() * cell.tanh(), cell


def _gru(x: Tensor, state: State, weights: Sequence[Any]) -> State:
    (hidden,) = state
    from_input = functional.linear(x, weights[0], weights[2])
    from_state = functional.linear(hidden, weights[1], weights[3])
    reset, update, new = from_input.chunk(3, dim=1)
    reset_too, update_too, new_too = from_state.chunk(3, dim=1)
    keep = (update + update_too).sigmoid()
    candidate = (new + (reset + reset_too).sigmoid() * new_too).tanh()
    return ((1 - keep) * candidate + keep * hidden,)


def _tanh(x: Tensor, state: State, weights: Sequence[Any]) -> State:
    return (_told(x, state[0], weights).tanh(),)


def _relu(x: Tensor, state: State, weights: Sequence[Any]) -> State:
    return (_told(x, state[0], weights).relu(),)


def _told(x: Tensor, hidden: Tensor, weights: Sequence[Any]) -> Tensor:
    return functional.linear(x, weights[0], weights[2]) + functional.linear(hidden, weights[1], weights[3])


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    *weights: Tensor,
) -> State:
    """One step of an LSTM."""
    return _lstm(input, tuple(hx), _filled(weights))


def gru_cell(input: Tensor, hx: Tensor, *weights: Tensor) -> Tensor:
    """One step of a GRU."""
    return _gru(input, (hx,), _filled(weights))[0]


def rnn_tanh_cell(input: Tensor, hx: Tensor, *weights: Tensor) -> Tensor:
    """One step of a plain recurrence."""
    return _tanh(input, (hx,), _filled(weights))[0]


def rnn_relu_cell(input: Tensor, hx: Tensor, *weights: Tensor) -> Tensor:
    """One step of a plain recurrence with rectifiers."""
    return _relu(input, (hx,), _filled(weights))[0]


def lstm(*given: Any) -> tuple[Tensor, ...]:
    """What torch.lstm says: each position, and hidden and cell state behind the last, of all layers."""
    return _read(_lstm, given, packed=isinstance(given[1], Tensor))


def gru(*given: Any) -> tuple[Tensor, ...]:
    """What torch.gru says: each position, and the state behind the last, of all layers."""
    return _read(_gru, given, packed=isinstance(given[2], Tensor))


def rnn_tanh(*given: Any) -> tuple[Tensor, ...]:
    """What torch.rnn_tanh says; see `gru`."""
    return _read(_tanh, given, packed=isinstance(given[2], Tensor))


def rnn_relu(*given: Any) -> tuple[Tensor, ...]:
    """What torch.rnn_relu says; see `gru`."""
    return _read(_relu, given, packed=isinstance(given[2], Tensor))


def _filled(weights: Sequence[Tensor]) -> tuple[Any, ...]:
    """Weights for input and state, and biases or None."""
    return (*weights, *[None] * (4 - len(weights)))


def _read(cell: Cell, given: Sequence[Any], *, packed: bool) -> tuple[Tensor, ...]:
    """Read all positions with all layers and directions.

    given: (input, states, weights, biased, layers, dropout, training, both ways, records first), or, packed,
           (numbers of all steps, records at each step, states, weights, biased, layers, dropout, training, both ways)
    """
    x, states, weights, biased, layers, both = _arguments(given, packed)
    steps = list(x.split(given[1].tolist()) if packed else x.unbind(1 if given[8] else 0))
    first = [states] if isinstance(states, Tensor) else list(states)
    of_each = 4 if biased else 2
    directions = 2 if both else 1
    if len(weights) != of_each * layers * directions:
        raise refusal("lstm", "there is no rule for projected states")
    last: list[State] = []
    for layer in range(layers):
        read = []
        for direction in range(directions):
            number = layer * directions + direction
            own = _filled(weights[of_each * number : of_each * (number + 1)])
            state = tuple(each[number] for each in first)
            outputs, final = _direction(lambda t, s, own=own: cell(t, s, own), steps, state, bool(direction))  # type: ignore[misc]
            read.append(outputs)
            last.append(final)
        steps = [torch.cat(parts, dim=1) if both else parts[0] for parts in zip(*read, strict=True)]
    ends = tuple(torch.stack(parts) for parts in zip(*last, strict=True))
    together = torch.cat(steps) if packed else torch.stack(steps, 1 if given[8] else 0)
    return (together, *ends)


def _arguments(given: Sequence[Any], packed: bool) -> tuple[Any, Any, Any, bool, int, bool]:
    if packed:
        x, _, states, weights, biased, layers, _, _, both = given
    else:
        x, states, weights, biased, layers, _, _, both, _ = given
    return x, states, weights, biased, layers, both


def _direction(
    cell: Callable[[Tensor, State], State], steps: Sequence[Tensor], state: State, backward: bool
) -> tuple[list[Tensor], State]:
    """What is said at each step, and the state of each record behind its own last one.

    Records are sorted by length, the longest first: forward they leave one after the other, backward they enter.
    """
    begin, outputs, ended = state, [], list[State]()
    state = tuple(each[: len(steps[-1])] for each in state) if backward else state
    for x in reversed(steps) if backward else steps:
        had, now = len(state[0]), len(x)
        if now < had:
            ended.append(tuple(each[now:] for each in state))
            state = tuple(each[:now] for each in state)
        elif now > had:
            state = tuple(torch.cat([each, new[had:now]]) for each, new in zip(state, begin, strict=True))
        state = cell(x, state)
        outputs.append(state[0])
    final = tuple(torch.cat(parts) for parts in zip(state, *reversed(ended), strict=True))
    return (outputs[::-1] if backward else outputs), final
