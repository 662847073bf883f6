"""The sums behind a layer: how many places it leaves, how many numbers it learns, and what one filter makes of a picture.

    W2 = (W1 - F + 2 P) / S + 1

W1 and W2 are the places along a side before and after, F those that a filter or pool covers, P the empty ones added at each
end, S the stride. One filter has a weight for each place it covers in each channel, and one bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.models.flat import MaxPool1d

Grid = Sequence[Sequence[float]]
"""Rows of numbers, all equally long."""


@dataclass(frozen=True)
class Window:
    """What slides along a side.

    covers:   places that it looks at, without those it skips
    stride:   places from one stop to the next
    padding:  empty places added, both ends together
    dilation: places from one that it looks at to the next
    """

    covers: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Places from the first that it looks at to the last."""
        return self.dilation * (self.covers - 1) + 1

    def after(self, places: int) -> Size:
        """How many places it leaves of so many.

        Raises UserError where it is larger than the side.
        """
        free = places - self.reach + self.padding
        if free < 0:
            raise UserError(
                f"A filter that covers {self.reach} places does not fit on {places}"
                + (f" with {self.padding} more at the ends." if self.padding else "."),
                fix="a smaller filter, or more padding",
            )
        halves = f"2 x {self.padding // 2}" if self.padding % 2 == 0 else str(self.padding)
        padding = f" + {halves}" if self.padding else ""
        return Size(
            places=free // self.stride + 1,
            left=free % self.stride,
            words=f"({places} - {self.reach}{padding})/{self.stride} + 1",
            exact=free / self.stride + 1,
        )


@dataclass(frozen=True)
class Size:
    """Places along a side after a layer.

    places: whole ones; a last stop that would hang over the end is left out
    left:   places at the end that no stop reaches; 0: the filter fits
    words:  the sum, such as "(32 - 5 + 2 x 2)/1 + 1"
    exact:  what the sum gives
    """

    places: int
    left: int
    words: str
    exact: float

    @property
    def sentence(self) -> str:
        """The sum with its result, and what is lost where the filter does not fit."""
        if not self.left:
            return f"{self.words} = {self.places}"
        unseen = "the last place is" if self.left == 1 else f"the last {self.left} places are"
        return f"{self.words} = {self.exact:.4g} does not fit: rounded down to {self.places}, {unseen} never seen"


def strides_that_fit(places: int, window: Window) -> list[int]:
    """The strides with which a filter reaches the last place exactly, the smallest first."""
    free = places - window.reach + window.padding
    return [stride for stride in range(1, free + 1) if free % stride == 0]


# ---- one filter on a picture ---------------------------------------------------------------------------------


def convolve(picture: Grid, kernel: Grid, stride: int = 1, padding: int = 0) -> list[list[float]]:
    """Lay a filter on each place of a picture, multiply number by number, and add up: rows of the new picture.

    Like all deep learning, it does not turn the filter round, as mathematicians do who say convolution.
    """
    return [
        [sum(a * b for a, b in pairs) for pairs in row] for row in _stops(picture, kernel, stride, padding)
    ]


def products(picture: Grid, kernel: Grid, row: int = 0, column: int = 0) -> str:
    """The sum at one place of the new picture in words, without what is 0: "50 x 30 + 20 x 30 = 2100"."""
    pairs = _pairs(picture, kernel, row, column)
    terms = [f"{a:g} x {b:g}" for a, b in pairs if a * b != 0]
    return f"{' + '.join(terms) or '0'} = {sum(a * b for a, b in pairs):.10g}"


def grid(text: str) -> list[list[float]]:
    """Rows of numbers from words: "101 010 101" is digit by digit, "0,50 30,0" has numbers of any size."""
    try:
        rows = [list(map(float, row.split(",") if "," in row else row)) for row in text.split()]
    except ValueError:
        rows = []
    if not rows or len({len(row) for row in rows}) != 1:
        raise UserError(
            f'"{text}" is no grid of numbers.',
            fix='write rows of digits, such as "101 010 101", or of numbers with commas, such as "0,50 30,0"',
        )
    return rows


def _stops(
    picture: Grid, kernel: Grid, stride: int, padding: int
) -> Iterator[list[list[tuple[float, float]]]]:
    wide = [0.0] * (len(picture[0]) + 2 * padding)
    ends = [0.0] * padding
    padded = [wide] * padding + [[*ends, *row, *ends] for row in picture] + [wide] * padding
    rows = Window(len(kernel), stride).after(len(padded)).places
    columns = Window(len(kernel[0]), stride).after(len(wide)).places
    for row in range(rows):
        yield [_pairs(padded, kernel, row * stride, column * stride) for column in range(columns)]


def _pairs(picture: Grid, kernel: Grid, row: int, column: int) -> list[tuple[float, float]]:
    return [
        (picture[row + down][column + across], weight)
        for down, weights in enumerate(kernel)
        for across, weight in enumerate(weights)
    ]


# ---- layers of a network -------------------------------------------------------------------------------------


def weights_in_words(module: nn.Module) -> str:
    """The sum behind the number of what a layer learns, such as "(5 x 5 x 3 + 1) x 10"; empty for none."""
    own = list(module.parameters(recurse=False))
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
        return filter_weights(
            module.kernel_size, module.in_channels // module.groups, module.out_channels, len(own) > 1
        )
    if isinstance(module, nn.Linear):
        return dense_weights(module.in_features, module.out_features, len(own) > 1)
    if isinstance(module, nn.RNNBase) and module.num_layers == 1 and module.bias and not module.proj_size:
        gates = own[0].shape[0] // module.hidden_size
        sides = "2 directions x " if module.bidirectional else ""
        steps = f"{gates} gates x " if gates > 1 else ""
        return f"{sides}{steps}{module.hidden_size} x ({module.input_size} + {module.hidden_size} + 2)"
    if len(own) > 1 and len({weights.shape for weights in own}) == 1:
        return _times(len(own), *own[0].shape)
    return " + ".join(_times(*weights.shape) for weights in own)


def filter_weights(covers: Sequence[int], channels: int, filters: int, biased: bool = True) -> str:
    """The weights of so many filters: "(5 x 5 x 3 + 1) x 10"; a height of 1 is left out."""
    each = _times(*(covers[1:] if len(covers) == 2 and covers[0] == 1 < covers[1] else covers), channels)
    return f"({each} + 1) x {filters}" if biased else f"{each} x {filters}"


def dense_weights(inputs: int, outputs: int, biased: bool = True) -> str:
    """The weights of a dense layer: "(40 + 1) x 2"."""
    return f"({inputs} + 1) x {outputs}" if biased else _times(inputs, outputs)


def size_in_words(module: nn.Module, before: Tensor, after: Tensor) -> str:
    """The sum behind the size of what a layer gives, such as "(32 - 5 + 2 x 2)/1 + 1"; empty where it stays.

    before, after: (records, channels, *places)
    """
    if isinstance(module, nn.Flatten):
        return _times(*_course_order(before.shape[1:])) if before.dim() > 2 else ""
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return (
            f"mean over {_times(*before.shape[2:])} places"
            if after.shape[2:] == (1, 1)
            else "means over fields"
        )
    if isinstance(module, nn.ConvTranspose2d):
        sums = [
            f"({size} - 1) x {stride} + {covers}"
            for size, stride, covers in zip(
                before.shape[2:], _two(module.stride), _two(module.kernel_size), strict=True
            )
        ]
    else:
        windows = _windows(module, before.dim() - 2)
        sums = [
            window.after(size).words
            + (f" = {window.after(size).exact:.4g}" if window.after(size).left else "")
            for size, window in zip(before.shape[2:], windows, strict=bool(windows))
            if window.covers > 1 or window.stride > 1
        ]
    return " and ".join(dict.fromkeys(sums))


def _windows(module: nn.Module, sides: int) -> list[Window]:
    if isinstance(module, MaxPool1d):
        return [Window(module.size, module.size)]
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        dilation = _two(getattr(module, "dilation", 1))
        padding = _two(module.padding)
        found = zip(_two(module.kernel_size), _two(module.stride), padding, dilation, strict=True)
        return [Window(covers, stride, 2 * empty, apart) for covers, stride, empty, apart in found]
    if not isinstance(module, nn.Conv1d | nn.Conv2d):
        return []
    return [
        Window(covers, stride, _padding(module, side), apart)
        for side, (covers, stride, apart) in enumerate(
            zip(module.kernel_size, module.stride, module.dilation, strict=True)
        )
    ][:sides]


def _padding(module: nn.Conv1d | nn.Conv2d, side: int) -> int:
    """Empty places that a convolution adds along a side, both ends together."""
    if isinstance(module.padding, str):
        return module.dilation[side] * (module.kernel_size[side] - 1) if module.padding == "same" else 0
    return 2 * int(module.padding[side])


def _two(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value, value)


def _course_order(sizes: Sequence[int]) -> tuple[int, ...]:
    return (*sizes[1:], sizes[0])


def _times(*factors: int) -> str:
    return " x ".join(map(str, factors))
