"""A variational autoencoder: codes that follow a known distribution, so that new records can be drawn from it."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor, nn, randn_like

from bioloom.models import networks
from bioloom.models.autoencoder import Coder, CodeSettings, code_size, corrupted, hidden_layers


@networks.register
class VariationalAutoencoder(Coder):
    """Describe a record by a cloud of codes around a mean, close to the standard normal distribution.

    Encoder: (dense - GELU) for each hidden layer, then dense to the mean of the code and, by another layer, to the
    logarithm of its variance. While learning, a code is drawn from that cloud, and how far the cloud lies from the
    standard normal distribution is added to the loss; afterwards the mean is the code. Decoder: the layers in reverse.
    The loss of a record of d numbers is |x - restored|^2 / d + (2 rest^2 / d) KL: the negative evidence lower bound of a
    normal distribution with standard deviation `rest`, times 2 rest^2 / d (equation 10 of the paper).
    With hidden layers (128) and a code of 3: 3,080 parameters for an input of 11 and 2 outputs.
    Source: Kingma, Welling (2014) arXiv:1312.6114.
    """

    name = "variational"
    title = "variational autoencoder (codes that follow a normal distribution)"

    class Settings(CodeSettings):
        """Settings of the variational autoencoder."""

        rest: float = Field(
            default=0.5,
            gt=0,
            description="standard deviation around what is decoded, in units of a feature's; larger (as beta): simpler codes",
        )

    def __init__(self, inputs: int, n_outputs: int, settings: Settings) -> None:
        super().__init__(inputs, n_outputs, settings)
        widths, code = (inputs, *settings.hidden), code_size(inputs, settings)
        self.scale = 2 * settings.rest**2 / inputs
        self.encoder = nn.Sequential(*hidden_layers(widths, settings))
        self.mean = nn.Linear(widths[-1], code)
        self.log_variance = nn.Linear(widths[-1], code)
        back = (code, *settings.hidden[::-1]) if settings.decode else (code,)
        self.decoder = nn.Sequential(*hidden_layers(back, settings))
        self.last = nn.Linear(back[-1], n_outputs)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, ...) -> (records, outputs); values at empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]  # (records, channels, positions)
        x = x.flatten(1)
        if self.training and self.settings.decode:
            x = corrupted(x, self.settings.hide, self.settings.noise)
        hidden = self.encoder(x)
        self.code, log_variance = self.mean(hidden), self.log_variance(hidden)
        self.penalty = self.scale * divergence(self.code, log_variance).mean()
        drawn = self.code
        if self.training:
            drawn = drawn + randn_like(drawn) * (0.5 * log_variance).exp()
        raw: Tensor = self.last(self.decoder(drawn))
        return raw


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """How far normal distributions lie from the standard one, in nats, (records,) (appendix B of the paper).

    mean, log_variance: (records, numbers). KL = 1/2 sum (mean^2 + variance - 1 - log variance)
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
