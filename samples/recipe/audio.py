"""The soundtrack: engine, tyres, a passing car and a horn, in stereo, of sines and shaped noise."""

import numpy as np
import numpy.typing as npt

from . import story

SAMPLE_RATE = 48000
_HORN = (6.6, 7.15)  # start and end, seconds
_PASSING_SIDE = 0.25  # 0 left, 1 right

Wave = npt.NDArray[np.float64]


def soundtrack(seconds: float) -> npt.NDArray[np.float32]:
    """(2, samples) at SAMPLE_RATE, -1..1."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    rng = np.random.default_rng(57)
    knots = np.arange(0, 14, 0.05)
    pace = np.interp(times, knots, [story.speed(float(t)) for t in knots])
    engine = _engine(pace)
    left, right = (engine + _tyres(rng, pace) for _ in range(2))
    passing = _passing(rng, times)
    horn = _horn(times)
    stereo = np.stack((left + passing * (1 - _PASSING_SIDE) + horn, right + passing * _PASSING_SIDE + horn * 0.8))
    fade = np.clip(times / 0.15, 0, 1) * np.clip((seconds - times) / 0.3, 0, 1)
    return np.asarray(np.tanh(stereo * fade * 1.1), np.float32)


def _engine(pace: Wave) -> Wave:
    """Hum of a four-cylinder engine in a gear that suits the speed (metres per second)."""
    firing = 27 + 6.2 * pace
    phase = 2 * np.pi * np.cumsum(firing) / SAMPLE_RATE
    strengths = (0.5, 1.0, 0.55, 0.4, 0.22, 0.16, 0.1, 0.07)
    hum = sum(strength * np.sin(phase * (order + 1) / 2 + order) for order, strength in enumerate(strengths))
    return np.asarray(hum) * (0.055 + 0.004 * pace)


def _noise(rng: np.random.Generator, samples: int, low: float, high: float) -> Wave:
    """Noise between two frequencies, hertz, with soft flanks and standard deviation 1."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 1)
    spectrum *= 1 / (1 + (low / frequency) ** 2) / (1 + (frequency / high) ** 2)
    wave = np.fft.irfft(spectrum, samples)
    return np.asarray(wave / wave.std())


def _tyres(rng: np.random.Generator, pace: Wave) -> Wave:
    return _noise(rng, len(pace), 90, 700) * (0.008 + 0.0075 * pace)


def _passing(rng: np.random.Generator, times: Wave) -> Wave:
    """Rush of air of the cars that we pass."""
    rush = np.zeros(len(times))
    for driver in story.CARS:
        gaps = np.array([driver.pose(float(t)).z - story.camera(float(t)).z + 2 for t in times[::480]])
        if driver.name in ("oncoming", "second", "parked"):
            near = np.interp(times, times[::480], 1 / (1 + (gaps / 3.5) ** 2))
            rush += near * (0.16 if driver.name == "oncoming" else 0.06)
    return rush * _noise(rng, len(times), 200, 1800)


def _horn(times: Wave) -> Wave:
    """Two tones with overtones, some way off."""
    start, end = _HORN
    shape = np.clip((times - start) / 0.02, 0, 1) * np.clip((end - times) / 0.05, 0, 1)
    tone = sum(np.sin(2 * np.pi * pitch * k * times) / k**1.3 for pitch in (415.0, 523.0) for k in range(1, 7))
    return np.asarray(shape * tone * 0.075)
