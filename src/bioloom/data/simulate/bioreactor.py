"""A fed-batch culture by mass balances: growth on glucose, oxygen, a product, and a feed that dilutes.

States: biomass X, glucose S and product P (g/l), volume V (l). With the dilution D = F / V by a feed F (l/h) of
glucose Sf, and the growth rate mu:

    dX/dt = (mu - D) X            dS/dt = -(mu / Yxs + m) X + D (Sf - S)
    dP/dt = (a mu + b) X g - D P  dV/dt = F

mu = mu_max S / (Ks + S) O / (Ko + O) f(temperature) f(pH): Monod (1949) doi:10.1146/annurev.mi.03.100149.002103. Product
by growth and by biomass: Luedeking, Piret (1959) doi:10.1002/jbmte.390010406. Oxygen O settles within seconds, so that it
is what transfer and uptake balance at: kLa (O* - O) = q X O / (Ko + O).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

Floats = NDArray[np.float64]

HOURS, STEP = 48.0, 0.1
"""Length of a culture and of a step of the integration, in hours."""

MU_MAX, KS, KO = 0.45, 0.15, 2.0  # 1/h, g/l, % of saturation
YIELD, MAINTENANCE = 0.5, 0.02  # g biomass per g glucose; g glucose per g biomass and hour
GROWTH_PRODUCT, BIOMASS_PRODUCT = 0.06, 0.008  # g product per g of new biomass; per g biomass and hour
UPTAKE = 900.0  # % of saturation per hour and g/l of biomass that grows at full rate
SATURATION = 100.0

NOISE = 0.05
"""Relative error of measurements, and the smallest error as the same share of a usual value."""

MEASURED = 25
"""Times at which a course is sampled: every two hours."""


@dataclass(frozen=True)
class Conditions:
    """What is set for each culture, (records,): Celsius, pH, 1/h, l/h, g/l, h, g/l, g/l."""

    temperature: Floats
    ph: Floats
    kla: Floats
    feed: Floats
    feed_glucose: Floats
    feed_start: Floats
    glucose: Floats
    inoculum: Floats


def draw(records: int, random: np.random.Generator) -> Conditions:
    """Conditions as in a screening: every factor over its range, independent of the others."""
    return Conditions(
        temperature=random.uniform(28, 40, records),
        ph=random.uniform(6.0, 8.0, records),
        kla=random.uniform(80, 400, records),
        feed=random.uniform(0.0, 0.012, records),
        feed_glucose=random.uniform(200, 500, records),
        feed_start=random.uniform(6, 18, records),
        glucose=random.uniform(5, 30, records),
        inoculum=random.uniform(0.05, 0.5, records),
    )


def warmth(temperature: Floats) -> Floats:
    """Growth by temperature: best at 37, none at 10 and above 44 degrees (Ratkowsky et al. 1983, scaled to 1)."""
    rise = np.clip(temperature - 10, 0, None) * (1 - np.exp(0.35 * np.minimum(temperature - 44, 0)))
    return np.asarray((rise / (27 * (1 - np.exp(0.35 * -7)))) ** 2)


def oxygen(biomass: Floats, kla: Floats) -> Floats:
    """Dissolved oxygen in % of saturation: the positive root of kLa (O* - O)(Ko + O) = q X O."""
    half = (kla * (SATURATION - KO) - UPTAKE * biomass) / (2 * kla)
    return np.asarray(half + np.sqrt(half**2 + KO * SATURATION))


def _rates(states: Floats, feed: Floats, given: Conditions) -> Floats:
    """Time derivatives of X, S, P, V, (4, records)."""
    x, s, p, volume = np.maximum(states, 0)
    dissolved = oxygen(x, given.kla)
    fit = warmth(given.temperature) * np.exp(-(((given.ph - 7.0) / 0.8) ** 2))
    mu = MU_MAX * fit * s / (KS + s) * dissolved / (KO + dissolved)
    dilution = feed / volume
    # of the product, which aggregates in the warmth
    folding = 1 / (1 + np.exp((given.temperature - 35) / 1.5))
    eaten = (mu / YIELD + MAINTENANCE * s / (KS + s)) * x
    made = (GROWTH_PRODUCT * mu + BIOMASS_PRODUCT * s / (KS + s)) * x * folding
    return np.stack(
        [(mu - dilution) * x, dilution * (given.feed_glucose - s) - eaten, made - dilution * p, feed]
    )


def course(given: Conditions) -> Floats:
    """X, S, P, V at every step by the classical Runge-Kutta method, (steps + 1, 4, records)."""
    records = len(given.feed)
    states = np.stack([given.inoculum, given.glucose, np.zeros(records), np.ones(records)])
    found = [states]
    for step in range(round(HOURS / STEP)):
        feed = np.where(step * STEP >= given.feed_start, given.feed, 0.0)
        k1 = _rates(states, feed, given)
        k2 = _rates(states + STEP / 2 * k1, feed, given)
        k3 = _rates(states + STEP / 2 * k2, feed, given)
        k4 = _rates(states + STEP * k3, feed, given)
        states = np.maximum(states + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4), 0.0)
        found.append(states)
    return np.stack(found)


def _noisy(values: Floats, random: np.random.Generator) -> Floats:
    usual = np.median(values[values > 0]) if (values > 0).any() else 1.0
    error = NOISE * (values + 0.2 * usual)
    return np.asarray(np.maximum(values + random.normal(size=values.shape) * error, 0.0))


def _settings(given: Conditions) -> pd.DataFrame:
    return pd.DataFrame({
        "temperature_c": given.temperature.round(1),
        "ph": given.ph.round(2),
        "kla_per_h": given.kla.round(0),
        "feed_l_per_h": given.feed.round(4),
        "feed_glucose_g_per_l": given.feed_glucose.round(0),
        "feed_start_h": given.feed_start.round(1),
        "glucose_g_per_l": given.glucose.round(1),
        "inoculum_g_per_l": given.inoculum.round(3),
    })  # fmt: skip


def _make(records: int, seed: int) -> Made:
    random = np.random.default_rng(seed)
    given = draw(records, random)
    product = course(given)[-1, 2]
    frame = _settings(given)
    frame.insert(0, "id", [f"culture{number + 1}" for number in range(records)])
    frame["product_g_per_l"] = _noisy(product, random).round(4)
    return Made(
        frame, {"best": {"temperature_c": "32 to 35: growth against folding", "ph": 7.0}, "noise": NOISE}
    )


def _make_course(records: int, seed: int) -> Made:
    """Time courses of the first day, from which the product at the end is to be predicted."""
    random = np.random.default_rng(seed)
    given = draw(records, random)
    states = course(given)
    product = states[-1, 2]
    every = round(HOURS / STEP / (MEASURED - 1))
    first = states[::every][: MEASURED // 2 + 1]  # (times, 4, records), to 24 h
    dissolved = np.stack([oxygen(each[0], given.kla) for each in first])
    measured = {"biomass_g_per_l": first[:, 0], "glucose_g_per_l": first[:, 1], "oxygen_percent": dissolved}
    frame = pd.DataFrame({"id": [f"culture{number + 1}" for number in range(records)]})
    for name, values in measured.items():
        noisy = _noisy(values, random)
        frame[name] = [" ".join(f"{number:.4g}" for number in noisy[:, record]) for record in range(records)]
    frame["product_g_per_l"] = _noisy(product, random).round(4)
    return Made(frame, {"hours": [round(number * 2.0, 1) for number in range(len(first))], "noise": NOISE})


_SOURCE = "mass balances with Monod growth and Luedeking-Piret product, see bioloom.data.simulate.bioreactor"
simulators.register(
    Simulator(
        name="bioreactor",
        title="fed-batch cultures: temperature, pH, oxygen transfer, feed -> product after 48 hours",
        target="product_g_per_l",
        task="regression",
        make=_make,
        source=_SOURCE,
    )
)
simulators.register(
    Simulator(
        name="bioreactor_course",
        title="fed-batch cultures: biomass, glucose and oxygen every two hours of a day -> product after 48 hours",
        target="product_g_per_l",
        task="regression",
        make=_make_course,
        source=_SOURCE,
    )
)
