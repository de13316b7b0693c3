"""A freqtrade strategy that trades what Thalas Consensus decides, and nothing else.

It fails closed: freqtrade places a trade when confirm_trade_entry raises, so here
every doubt, whatever it is, ends in False. README.md beside this file lists them.

Live and dry run: bot_loop_start reads `GET /v1/consensus/latest`, once per candle for
all pairs. All other callbacks work on what it kept and never touch the network.
Backtest, hyperopt and plot: no call at all, an exported history is read instead.
"""

import csv
import http.client
import json
import logging
import math
import os
import re
import socket
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from pandas import DataFrame

from freqtrade.enums import RunMode
from freqtrade.exchange import timeframe_to_next_date, timeframe_to_seconds
from freqtrade.persistence import Trade
from freqtrade.strategy import DecimalParameter, IStrategy, stoploss_from_absolute

logger = logging.getLogger(__name__)

TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
SETTINGS = ("url", "api_key", "history", "allow_simulated", "require_edge", "timeout")
MAX_PAIRS = 100  # in one call: what the service takes
MAX_BODY = 8 << 20  # bytes
HINTS = {
    401: ": is THALAS_API_KEY right?",
    403: ": is THALAS_API_KEY right?",
    404: ": is THALAS_URL right?",
    429: ": too many calls",
}
PAIR = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?")
TAG = re.compile(r"thalas \S+ \S+(?: stop (?P<stop>\S+))?(?: target (?P<target>\S+))?")


class Signal(NamedTuple):
    """One consensus, as far as it is traded on. Every field was checked."""

    id: str
    pair: str
    timeframe: str
    decision: str
    confidence: float
    agreement: float
    price: float
    stop: float | None
    target: float | None
    simulated: bool
    timestamp: datetime
    candle_time: datetime
    valid_until: datetime
    low: float | None = None  # the least that the probability of being right may be
    break_even: float | None = None  # what it must be to pay for the trade; may be above 1

    @property
    def has_edge(self) -> bool:
        """Outcomes so far say that it is more often right than its costs need. Unknown is no."""
        return self.low is not None and self.break_even is not None and self.low > self.break_even

    @property
    def timely(self) -> bool:
        """Made of a closed candle, while the candle after it was forming."""
        closed = self.candle_time + (self.valid_until - self.candle_time) / 2
        return closed <= self.timestamp < self.valid_until

    def current(self, now: datetime) -> bool:
        """Known at now, and about the newest closed candle."""
        return self.timely and self.timestamp <= now < self.valid_until

    @property
    def tag(self) -> str:
        """What the trade is marked with. The levels are kept nowhere else: a restart finds them there."""
        stop = "" if self.stop is None else f" stop {self.stop!r}"
        target = "" if self.target is None else f" target {self.target!r}"
        return f"thalas {self.id} {self.confidence:.4f}{stop}{target}"


def levels(tag: str | None) -> tuple[float | None, float | None]:
    """Stop and target of a trade, from its tag; None for what is not there."""
    match = TAG.fullmatch(tag or "")
    if match is None:
        return None, None
    return tuple(None if text is None else above_zero(float(text)) for text in match.group("stop", "target"))


def above_zero(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ValueError("is not a number above 0")
    return value


def read_signal(item: object) -> Signal:
    """Reads one consensus. Raises ValueError, naming the field, for anything but what the contract says."""
    if not isinstance(item, dict):
        raise ValueError("a consensus is not an object")

    def text(name: str, pattern: str) -> str:
        value = item.get(name)
        if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
            raise ValueError(f"{name} is missing or malformed")
        return value

    def number(name: str, low: float, high: float, of: dict = item) -> float:
        value = of.get(name)
        # bool is an int to Python; NaN is within no bounds.
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} is missing or out of bounds")
        return float(value)

    def price(name: str) -> float:
        return above_zero(number(name, 0, 1e30))

    def moment(name: str) -> datetime:
        value = datetime.fromisoformat(text(name, r"\d{4}-\d\d-\d\dT\S{1,30}"))
        if value.tzinfo is None:
            raise ValueError(f"{name} has no time zone")
        return value.astimezone(timezone.utc)

    def chance(name: str, high: float) -> float | None:
        return None if probability.get(name) is None else number(name, 0, high, probability)

    if not isinstance(item.get("simulated"), bool):
        raise ValueError("simulated is neither true nor false")
    probability = item.get("probability") or {}
    if not isinstance(probability, dict):
        raise ValueError("probability is not an object")
    text("status", "complete|degraded")
    signal = Signal(
        id=text("id", r"[0-9A-Za-z-]{1,64}"),
        pair=text("pair", PAIR.pattern),
        timeframe=text("timeframe", "|".join(TIMEFRAMES)),
        decision=text("decision", "BUY|SELL|HOLD"),
        confidence=number("confidence", 0, 1),
        agreement=number("agreement_score", 0, 1),
        price=price("current_price"),
        stop=None if item.get("suggested_stop_loss", 0) is None else price("suggested_stop_loss"),
        target=None if item.get("suggested_take_profit", 0) is None else price("suggested_take_profit"),
        simulated=item["simulated"],
        timestamp=moment("timestamp"),
        candle_time=moment("candle_time"),
        valid_until=moment("valid_until"),
        low=chance("low", 1),
        break_even=chance("break_even", 1e30),
    )
    if signal.valid_until - signal.candle_time != 2 * timedelta(seconds=timeframe_to_seconds(signal.timeframe)):
        raise ValueError("valid_until is not candle_time and two timeframes")
    return signal


def read_json(text: str | bytes) -> object:
    """JSON as the standard has it: no NaN, no Infinity, no key twice. Raises ValueError."""

    def refuse(name: str) -> None:
        raise ValueError(f"JSON has no {name}")

    def unique(pairs: list) -> dict:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is there twice")
        return dict(pairs)

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("nested too deep") from None


def read_history(path: Path) -> list[Signal]:
    """Reads what `thalas export` wrote: .csv, .jsonl, or .json (pages of the API). A wrong line spoils the file."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            # Numbers, true and false are written as in JSON, null as an empty cell.
            texts = ("id", "timestamp", "candle_time", "valid_until", "pair", "timeframe", "decision", "status")
            items = (
                {name: cell if name in texts else read_json(cell or "null") for name, cell in row.items() if name in texts + NUMBERS}
                for row in csv.DictReader(file, strict=True)
            )
        elif path.suffix == ".jsonl":
            items = (read_json(line) for line in file if line.strip())
        elif path.suffix == ".json":
            document = read_json(file.read())
            items = iter(document["items"] if isinstance(document, dict) else document)
        else:
            raise ValueError(f"{path}: the history is a .csv, .jsonl or .json file, as `thalas export` writes it")
        signals = []
        while True:
            try:
                signals.append(read_signal(next(items)))
            except StopIteration:
                return signals
            except (ValueError, OverflowError, csv.Error) as error:
                raise ValueError(f"{path}, result {len(signals) + 1}: {error}; export the history anew") from None


NUMBERS = ("current_price", "confidence", "agreement_score", "suggested_stop_loss", "suggested_take_profit", "simulated")


class Unusable(Exception):
    """The service gave nothing that can be used; says why, without a word that the service chose."""


class Service:
    """Reads `latest` of one service, within a time and a size, without redirects and proxies."""

    def __init__(self, url: str, key: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("THALAS_URL (or thalas.url) is not an address such as https://host/path, without user, query and fragment")
        if key and re.fullmatch(r"[\x21-\x7e]{1,512}", key) is None:
            raise ValueError("THALAS_API_KEY (or thalas.api_key) has characters that no key has, such as a line break")
        if key and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            logger.warning("thalas: the API key is sent over plain http: anyone on the way can read it")
        self._https, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/") + "/v1/consensus/latest"
        self._headers = {"Accept": "application/json"} | ({"x-api-key": key} if key else {})
        self._timeout = timeout
        self._thread: threading.Thread | None = None

    def latest(self, pairs: list[str], timeframe: str) -> object:
        """The answer, as read_json gives it. Raises Unusable."""
        query = [("pair", pair) for pair in pairs]
        query += [("timeframe", timeframe), ("max_age", str(2 * timeframe_to_seconds(timeframe)))]
        status, body = self._get(f"{self._path}?{urlencode(query)}")
        if len(body) > MAX_BODY:
            raise Unusable(f"the answer has more than {MAX_BODY} bytes")
        try:
            document = read_json(body)
        except ValueError as error:
            raise Unusable(f"status {status}, and the answer is not JSON ({type(error).__name__})") from None
        if status == 200:
            return document
        kind = document.get("type") if isinstance(document, dict) else None
        if status == 404 and kind in ("/problems/no-signal-yet", "/problems/stale-signal"):
            return {"items": []}
        raise Unusable(f"status {status}{HINTS.get(status, '')}")

    def _get(self, target: str) -> tuple[int, bytes]:
        """Status and body. A socket's timeout starts anew with each byte, and name resolution has none: so a thread, and its end."""
        if self._thread is not None and self._thread.is_alive():
            raise Unusable("the call before it still hangs")
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        sockets, results = [], []

        def call() -> None:
            try:
                connection.connect()
                sockets.append(connection.sock)
                connection.request("GET", target, headers=self._headers)
                response = connection.getresponse()
                results.append((response.status, response.read(MAX_BODY + 1)))
            except Exception as error:  # it has to get to the other thread, whatever it is
                results.append(error)
            finally:
                connection.close()

        self._thread = threading.Thread(target=call, name="thalas", daemon=True)
        self._thread.start()
        self._thread.join(self._timeout)
        if not results:
            for open_socket in sockets:
                try:
                    open_socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # closed by the other thread
            raise Unusable(f"no answer within {self._timeout:g} s")
        if isinstance(results[0], Exception):
            raise Unusable(f"no answer: {type(results[0]).__name__}")
        return results[0]


class LLMConsensusStrategy(IStrategy):
    """Buys on BUY, sells on SELL, at the suggested stop or at the suggested target."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = False
    # The signal about a candle comes some time after its close, and freqtrade would look only once.
    process_only_new_candles = False
    startup_candle_count = 0
    minimal_roi = {}
    stoploss = -0.10  # the widest; a suggested stop can only be nearer
    use_custom_stoploss = True

    min_confidence = DecimalParameter(0.5, 0.95, default=0.6, decimals=2, space="buy")
    min_agreement = DecimalParameter(0.0, 1.0, default=0.5, decimals=2, space="buy")
    min_exit_confidence = DecimalParameter(0.5, 0.95, default=0.5, decimals=2, space="sell")

    retry_seconds = 15  # between two calls while a pair has no signal about the newest candle
    max_price_drift = 0.05  # of the rate from the price that the models saw

    def __init__(self, config: dict) -> None:
        super().__init__(config)
        self._service: Service | None = None
        self._allow_simulated = False
        self._require_edge = False
        self._signals: dict[str, Signal] = {}  # live: the newest of each pair
        self._history: dict[tuple[str, datetime], Signal] = {}  # else: by pair and candle
        self._now: datetime | None = None
        self._asked: datetime | None = None
        self._candle: int | None = None
        self._missing: list[str] = []
        self._said: set[str] = set()

    @property
    def _live(self) -> bool:
        return self.config.get("runmode") in (RunMode.LIVE, RunMode.DRY_RUN)

    @property
    def _length(self) -> timedelta:
        return timedelta(seconds=timeframe_to_seconds(self.timeframe))

    # Setting up: what is wrong here stops the bot before it trades.

    def bot_start(self, **kwargs) -> None:
        settings = self.config.get("thalas", {})
        if not isinstance(settings, dict) or (unknown := sorted(settings.keys() - set(SETTINGS))):
            named = "" if not isinstance(settings, dict) else f", not {', '.join(unknown)}"
            raise ValueError(f"thalas in the configuration is an object with {', '.join(SETTINGS)}{named}")
        if self.timeframe not in TIMEFRAMES:
            raise ValueError(f"timeframe {self.timeframe} is not one that Thalas has: use one of {', '.join(TIMEFRAMES)}")
        self._allow_simulated = settings.get("allow_simulated", False)
        if not isinstance(self._allow_simulated, bool):
            raise ValueError("thalas.allow_simulated is neither true nor false")
        self._require_edge = settings.get("require_edge", False)
        if not isinstance(self._require_edge, bool):
            raise ValueError("thalas.require_edge is neither true nor false")
        if not self._live:
            return self._load(settings.get("history"))
        if self._allow_simulated and self.config["runmode"] == RunMode.LIVE:
            raise ValueError("thalas.allow_simulated is for dry runs: a live bot must not trade on made-up votes")
        if self.process_only_new_candles:
            raise ValueError("process_only_new_candles must be false: with true, no signal is there yet when freqtrade looks")
        url = os.environ.get("THALAS_URL") or settings.get("url")
        key = os.environ.get("THALAS_API_KEY") or settings.get("api_key") or ""
        timeout = settings.get("timeout", 2)
        if not isinstance(url, str) or not isinstance(key, str):
            raise ValueError("where is Thalas? Set THALAS_URL or thalas.url, and THALAS_API_KEY or thalas.api_key where it has keys")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 10:
            raise ValueError("thalas.timeout is a number of seconds above 0, at most 10")
        self._service = Service(url, key, timeout)

    def _load(self, path: object) -> None:
        """Reads the history of this timeframe, the newest by id where a candle has several."""
        if not isinstance(path, str):
            raise ValueError("a backtest needs thalas.history, the file that `thalas export` wrote")
        if self._require_edge and path.endswith(".csv"):
            raise ValueError("thalas.require_edge needs a history with probabilities: export it with --format jsonl")
        all_signals = read_history(Path(path))
        own = [signal for signal in all_signals if signal.timeframe == self.timeframe]
        real = [signal for signal in own if self._allow_simulated or not signal.simulated]
        timely = [signal for signal in real if signal.timely]
        text = (
            f"{path}: {len(timely)} of {len(all_signals)} results can be traded; {len(all_signals) - len(own)} have another timeframe, "
            f"{len(own) - len(real)} are simulated, {len(real) - len(timely)} were not made while the next candle was forming"
        )
        if not timely:
            raise ValueError(text)
        logger.info("thalas: %s", text)
        for signal in sorted(timely, key=lambda one: one.id):
            self._history[signal.pair, signal.candle_time] = signal

    # Reading, in bot_loop_start alone.

    def bot_loop_start(self, current_time: datetime, **kwargs) -> None:
        if not self._live:
            return
        self._now = current_time
        try:
            self._refresh(current_time)
        except Unusable as error:
            self._say(f"no new signals: {error}. Nothing is bought without one")
        except Exception as error:
            self._say(f"no new signals: {type(error).__name__}. Nothing is bought without one")

    def _refresh(self, now: datetime) -> None:
        candle = int(now.timestamp() // self._length.total_seconds())
        if candle != self._candle:
            if self._missing:
                logger.warning("thalas: no signal came for %s within a candle: are they asked about on a schedule?", ", ".join(self._missing))
            self._candle = candle
            self._said.clear()
        pairs = {pair.upper() for pair in self.dp.current_whitelist()} | {trade.pair.upper() for trade in Trade.get_open_trades()}
        for pair in sorted(pairs):
            if PAIR.fullmatch(pair) is None:
                self._say(f"{pair} is no pair that Thalas knows: it gets no signal")
        known = filter(PAIR.fullmatch, sorted(pairs))
        self._missing = [pair for pair in known if not (pair in self._signals and self._signals[pair].current(now))]
        waited = None if self._asked is None else (now - self._asked).total_seconds()
        if not self._missing or (waited is not None and 0 <= waited < self.retry_seconds):
            return
        self._asked = now
        for first in range(0, len(self._missing), MAX_PAIRS):
            part = self._missing[first : first + MAX_PAIRS]
            self._take(self._service.latest(part, self.timeframe), part)

    def _take(self, document: object, asked: list[str]) -> None:
        """Keeps the signals that were asked for. Each is judged by itself; two about one pair are none."""
        items = document.get("items", [document]) if isinstance(document, dict) else None
        if not isinstance(items, list):
            raise Unusable("the answer is not a consensus and not a list of them")
        taken: dict[str, Signal | None] = {}
        for item in items:
            try:
                signal = read_signal(item)
            except (ValueError, OverflowError) as error:
                self._say(f"a malformed signal is left out: {error}")
                continue
            if signal.pair not in asked or signal.timeframe != self.timeframe:
                self._say("a signal about another pair or timeframe than asked is left out")
            elif signal.simulated and not self._allow_simulated:
                self._say(f"{signal.pair}: the signal is simulated and left out")
            else:
                taken[signal.pair] = None if signal.pair in taken else signal
        self._signals.update({pair: signal for pair, signal in taken.items() if signal is not None})

    def _say(self, text: str) -> None:
        """Warns, once per candle."""
        if text not in self._said:
            self._said.add(text)
            logger.warning("thalas: %s.", text)

    # Analysis: what is kept, as columns.

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Puts each signal in the row that decides with it.

        Live that is the last row, the candle that the signal is about. freqtrade would fill such
        a row's entry at the next candle's open in a backtest, before the signal was made; so there
        a signal stands one row later, in the candle in which it was made.
        """
        pair = metadata["pair"].upper()
        if self._live:
            signal = self._signals.get(pair)
            rows = {signal.candle_time: signal} if signal and self._now and signal.current(self._now) else {}
        else:
            rows = {at + self._length: signal for (of, at), signal in self._history.items() if of == pair}
        signals = [rows.get(date) for date in dataframe["date"]]
        if self._live:
            signals[:-1] = [None] * (len(signals) - 1)
        dataframe["thalas_decision"] = [signal.decision if signal else "" for signal in signals]
        dataframe["thalas_confidence"] = [signal.confidence if signal else math.nan for signal in signals]
        dataframe["thalas_agreement"] = [signal.agreement if signal else math.nan for signal in signals]
        dataframe["thalas_tag"] = [signal.tag if signal else "" for signal in signals]
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        buy = (
            (dataframe["thalas_decision"] == "BUY")
            & (dataframe["thalas_confidence"] >= self.min_confidence.value)
            & (dataframe["thalas_agreement"] >= self.min_agreement.value)
        )
        dataframe.loc[buy, "enter_long"] = 1
        dataframe.loc[buy, "enter_tag"] = dataframe.loc[buy, "thalas_tag"]
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        sell = (dataframe["thalas_decision"] == "SELL") & (dataframe["thalas_confidence"] >= self.min_exit_confidence.value)
        dataframe.loc[sell, "exit_long"] = 1
        dataframe.loc[sell, "exit_tag"] = "thalas SELL"
        return dataframe

    # Trading.

    def confirm_trade_entry(
        self, pair: str, order_type: str, amount: float, rate: float, time_in_force: str,
        current_time: datetime, entry_tag: str | None, side: str, **kwargs,
    ) -> bool:  # fmt: skip
        """True for a BUY that holds right now. An exception would place the trade: none gets out."""
        try:
            objection = self._objection(pair.upper(), rate, current_time, entry_tag, side)
        except Exception as error:
            objection = f"it could not be checked: {type(error).__name__}"
        if objection is not None and self._live:
            logger.info("thalas: %s is not bought: %s.", pair, objection)
        return objection is None

    def _objection(self, pair: str, rate: float, now: datetime, tag: str | None, side: str) -> str | None:
        """Why not to buy, or None. Comparisons are written so that NaN objects."""
        # A backtest buys at the open of the candle that begins when the signal's validity ends.
        signal = self._signals.get(pair) if self._live else self._history.get((pair, now - 2 * self._length))
        if side != "long":
            return "only long trades are made"
        if signal is None:
            return "there is no signal"
        if self._live and not signal.current(now):
            return f"the signal was for {signal.timestamp} until {signal.valid_until}"
        if signal.simulated and not self._allow_simulated:
            return "the signal is simulated"
        if signal.decision != "BUY":
            return f"the decision is {signal.decision}"
        if not signal.confidence >= self.min_confidence.value:
            return f"confidence {signal.confidence:.4f} is below {self.min_confidence.value}"
        if not signal.agreement >= self.min_agreement.value:
            return f"agreement {signal.agreement:.4f} is below {self.min_agreement.value}"
        if self._require_edge and not signal.has_edge:
            return f"no edge is shown: probability.low is {signal.low}, break_even is {signal.break_even}"
        if tag != signal.tag:
            return "the entry does not come from the signal that holds now"
        if not abs(rate / signal.price - 1) <= self.max_price_drift:
            return f"the rate {rate} is too far from {signal.price}, which the models saw"
        if signal.stop is not None and not signal.stop < rate:
            return f"the stop {signal.stop} is not below the rate {rate}"
        if signal.target is not None and not rate < signal.target:
            return f"the target {signal.target} is not above the rate {rate}"
        return None

    def check_entry_timeout(self, pair: str, trade: Trade, order, current_time: datetime, **kwargs) -> bool:
        """Cancels what was not bought while its signal was valid: until the end of that candle."""
        return current_time >= timeframe_to_next_date(self.timeframe, order.order_date_utc)

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, after_fill: bool, **kwargs
    ) -> float | None:
        """The suggested stop; None, which leaves the stop where it is, on every doubt."""
        stop, _ = levels(trade.enter_tag)
        if stop is None or trade.is_short or not trade.open_rate * (1 + self.stoploss) < stop < current_rate:
            return None
        return stoploss_from_absolute(stop, current_rate, is_short=trade.is_short, leverage=trade.leverage)

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, **kwargs
    ) -> str | None:
        """Sells at the suggested target, and where the rate was below the suggested stop before freqtrade had it."""
        stop, target = levels(trade.enter_tag)
        if target is not None and current_rate >= target:
            return "thalas target"
        if stop is not None and trade.stop_loss < stop and current_rate <= stop:
            return "thalas stop"
        return None
