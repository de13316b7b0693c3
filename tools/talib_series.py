"""Writes the series of internal/market/testdata and what TA-Lib says at each bar.

Run by tools/talib.sh. A series is a list of [open, high, low, close, volume]; its
values are lists by indicator with one entry a bar, null while TA-Lib warms up.
"""

import json
import math
import pathlib

import numpy
import talib

FOLDER = pathlib.Path(__file__).parent.parent / "internal/market/testdata"


class Chance:
    """A linear congruential generator, so that the series are the same everywhere."""

    def __init__(self, seed):
        self.state = seed

    def number(self):
        """Gives a number from -1 to 1."""
        self.state = (1103515245 * self.state + 12345) % 2**31
        return self.state / 2**30 - 1


def traps():
    """Gives 420 bars around 250: gaps, flat bars without volume, spikes, a crash, long runs."""
    chance = Chance(20261124)
    bars, price = [], 250.0

    def bar(close, opened=None, wick=0.004, volume=None):
        nonlocal price
        opened = price if opened is None else opened
        high = max(opened, close) * (1 + wick * abs(chance.number()))
        low = min(opened, close) * (1 - wick * abs(chance.number()))
        if volume is None:
            volume = round(100 * math.exp(1.5 * chance.number()), 3)
        bars.append([round(opened, 4), round(high, 4), round(low, 4), round(close, 4), volume])
        price = bars[-1][3]

    def walk(count, step=0.01):
        for _ in range(count):
            bar(price * (1 + step * chance.number()))

    walk(70)
    bar(price * 1.21, opened=price * 1.2)  # a gap up: nothing traded between
    walk(9)
    for _ in range(45):  # nothing trades at all
        bar(price, wick=0, volume=0)
    walk(6, 0.002)
    bar(price, wick=0)
    bars[-1][1] = round(price * 4, 4)  # a high that nobody traded at, as exchanges have them
    walk(8)
    before = price
    bar(price * 2.5, volume=90000)  # a spike of the close and the volume
    bar(before)
    walk(20)
    bar(price * 0.4)  # a crash
    for _ in range(40):  # falls only
        bar(price * (1 - 0.004 * abs(chance.number()) - 0.001))
    for _ in range(45):  # rises only
        bar(price * (1 + 0.006 * abs(chance.number()) + 0.001))
    for i in range(40):  # up and down by one tick
        bar(price + (0.01 if i % 2 else -0.01), wick=0)
    for _ in range(25):  # flat again, and it trades
        bar(price, wick=0)
    bar(price * 0.7, opened=price * 0.69)  # a gap down
    while len(bars) < 420:
        walk(1, 0.03)
    return bars


def tiny(bars):
    """Gives the bars at prices of about 1e-8, rounded to 1e-14."""
    return [[float(f"{p * 4e-11:.14f}") for p in bar[:4]] + bar[4:] for bar in bars]


def values(bars):
    """Computes TA-Lib's indicators of all bars."""
    _, high, low, close, volume = (numpy.array(column, dtype=float) for column in zip(*bars))
    macd, macd_signal, macd_hist = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
    usual = [volume[i - 19:i + 1].mean() if i >= 19 else 0 for i in range(len(volume))]  # not TA-Lib's rolling sum, which leaves a rest where all are 0
    volume_ratio = [v / u if u else math.nan for v, u in zip(volume, usual)]
    found = {
        "rsi": talib.RSI(close, 14), "atr": talib.ATR(high, low, close, 14),
        "ema_20": talib.EMA(close, 20), "ema_50": talib.EMA(close, 50),
        "macd": macd, "macd_signal": macd_signal, "macd_hist": macd_hist,
        "bb_upper": upper, "bb_middle": middle, "bb_lower": lower, "volume_ratio": volume_ratio,
    }
    return {name: [float(v) if math.isfinite(v) else None for v in column] for name, column in found.items()}


def write(name, document):
    (FOLDER / name).write_text(document + "\n")


def rows(bars):
    return "[\n" + ",\n".join(json.dumps(bar) for bar in bars) + "\n]"


def columns(found):
    return "{\n" + ",\n".join(f'"{name}": {json.dumps(column)}' for name, column in found.items()) + "\n}"


def main():
    series = {"synthetic": json.loads((FOLDER / "synthetic.json").read_text()), "traps": traps()}
    series["tiny"] = tiny(series["traps"])
    for name, bars in series.items():
        if name != "synthetic":
            write(name + ".json", rows(bars))
        write(name + "_talib.json", columns(values(bars)))
        print(f"{name}: {len(bars)} bars")


main()
