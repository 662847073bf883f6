"""How the network of a training begins: at random, or with weights that were learned before, all or few to be changed."""

from __future__ import annotations

from bioloom.models import Network, build
from bioloom.models.lora import adapted
from bioloom.training.job import Job


def begun(job: Job) -> Network:
    """The network of a job with its first weights."""
    network = build(job.network, job.shapes, job.outputs, job.settings)
    if job.start:
        network.load_state_dict({**network.state_dict(), **job.start})
    return network


def changeable(network: Network, job: Job) -> Network:
    """The same network, where the plan asks for it with small changes to be learned in place of what was learned before."""
    return adapted(network, job.plan.lora, job.start) if job.plan.lora and job.start else network
