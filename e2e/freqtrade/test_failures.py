"""Everything that can be wrong with an answer, in whole loops of a real bot: nothing is bought.

The keys of FAILURES are the rows of the table in the example's README.
"""

import gzip
import json
import logging
import os
import threading
import time
import unittest
from datetime import timedelta

import bot
from exchange import Exchange
from service import KEY, Answers, consensus, moment, problem, send

TIMEFRAME, CANDLE = bot.steady_timeframe()
PAIR = "BTC/USDT"


def good(**changes):
    return consensus(TIMEFRAME, CANDLE, **changes)


def listed(*items, missing=()):
    """The answer about two pairs, of which the bot asks."""
    return send({"items": list(items), "missing": list(missing)})


def changed(**changes):
    return listed(good(**changes))


def without(*names):
    return listed({name: value for name, value in good().items() if name not in names})


def raw(old, new):
    """The good answer with some of its text replaced, which Python's json would not write."""
    text = json.dumps({"items": [good()], "missing": []})
    assert old in text, old
    return send(text.replace(old, new))


def shifted(candles, **changes):
    length = timedelta(seconds=LENGTH)
    return listed(consensus(TIMEFRAME, CANDLE + candles * length, **changes))


LENGTH = {"1d": 86400, "3d": 3 * 86400, "1w": 7 * 86400}[TIMEFRAME]
CLOSE = CANDLE + timedelta(seconds=LENGTH)
END = threading.Event()  # set when the tests are over, for servers that hang
TEXT = json.dumps({"items": [good()], "missing": []})


def hang(handler):
    END.wait()


def drip(data):
    """Sends byte after byte, each in time, and never comes to the end."""

    def answer(handler):
        for byte in data:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if END.wait(0.02):
                return
        END.wait()

    return answer


def cut(handler):
    """Promises more bytes than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(TEXT)))
    handler.end_headers()
    handler.wfile.write(TEXT[: len(TEXT) // 2].encode())
    handler.close_connection = True


REQUIRED = (
    "id", "pair", "timeframe", "decision", "confidence", "agreement_score", "current_price", "suggested_stop_loss", "suggested_take_profit",
    "simulated", "status", "timestamp", "candle_time", "valid_until",
)  # fmt: skip

EDGE = "`require_edge` is set, and `probability` is missing, has no `low` or `break_even`, or shows no edge"


def edge(low, break_even):
    """A probability as the service gives it."""
    reason = "too_few" if low is None else None
    return {"value": low, "low": low, "high": low, "n_eff": 163, "needed": 100, "break_even": break_even, "horizon_candles": 3, "fitted_at": None, "reason": reason}


HANGING = {
    "it does not answer in time": [hang],
    "it drips its answer, byte by byte": [drip(b"HTTP/1.1 200 OK\r\nX-Long: " + 4096 * b"x"), drip(b"HTTP/1.1 200 OK\r\n\r\n" + 4096 * b" ")],
}

FAILURES = HANGING | {
    "401, 403: the key is missing, wrong or not allowed": [problem("unauthorized", 401), send({"message": "Forbidden"}, 403)],
    "404: no signal yet, or only one that is too old": [problem("no-signal-yet", 404), problem("stale-signal", 404)],
    "404: another server, or a wrong path": [problem("unknown-route", 404), send("<html>not here</html>", 404)],
    "422, 429, 500, 503: refused, too often, broken, unavailable": [
        problem("invalid-request", 422), problem("daily-budget", 429), problem("internal-error", 500), problem("store-unreachable", 503),
        send({"items": [good()], "missing": []}, 500), send({"items": [good()], "missing": []}, 201),
    ],
    "the answer is HTML, empty, cut off, compressed or not UTF-8": [
        send("<html>log in</html>"), send(""), send(TEXT[:-20]), send(TEXT[: len(TEXT) // 2]), cut, send(gzip.compress(TEXT.encode())),
        send(TEXT.encode().replace(b"Consensus", b"\xff\xfe")), send(TEXT.encode("utf-16")[:-1]),
    ],
    "the answer has more than 8 MiB, or is nested without end": [send(TEXT + 9 * 1024 * 1024 * " "), send(100_000 * "[")],
    "the answer is other JSON": [send("null"), send("[]"), send("7"), send('"BUY"'), send({}), send({"items": "BUY"}), listed(None, [], "BUY")],
    "a number is NaN or infinite": [
        raw('"confidence": 0.743684', '"confidence": NaN'), raw('"confidence": 0.743684', '"confidence": Infinity'),
        raw('"confidence": 0.743684', '"confidence": 1e999'), raw('"agreement_score": 0.723502', '"agreement_score": NaN'),
        raw('"suggested_stop_loss": 48750.0', '"suggested_stop_loss": NaN'), raw('"current_price": 50000.0', '"current_price": -Infinity'),
        raw('"current_price": 50000.0', '"current_price": 1' + 400 * "0"), raw('"current_price": 50000.0', '"current_price": 1' + 5000 * "0"),
    ],
    "a field has the wrong type or is out of bounds": [
        changed(confidence="0.9"), changed(confidence=True), changed(confidence=None), changed(confidence=1.01), changed(confidence=-0.1),
        changed(confidence=[0.9]), changed(agreement_score="1"), changed(agreement_score=True), changed(current_price="50000"),
        changed(current_price=0), changed(suggested_stop_loss="48750"), changed(suggested_stop_loss=0), changed(suggested_stop_loss=-1),
        changed(suggested_take_profit=False), changed(id=7), changed(id="x y"), changed(id=""), changed(status="partial"), changed(status=True),
        changed(timestamp=0), changed(pair=["BTC/USDT"]), changed(probability=0.9), changed(probability=edge("0.6", 0.54)),
        changed(probability=edge(1.01, 0.54)), changed(probability=edge(0.6, -1)), changed(probability=edge(0.6, True)),
    ],
    "a field is missing": [without(name) for name in REQUIRED],
    "a field or the pair is there twice": [
        raw('"decision": "BUY"', '"decision": "HOLD", "decision": "BUY"'), listed(good(), good(id="2")), listed(good(), good(id="2"), good(id="3")),
    ],
    "the signal is about another pair or timeframe": [
        changed(pair="BTC/USDT:USDT"), changed(pair="SOL/USDT"), changed(pair="btc/usdt"), listed(consensus("5m", CANDLE)),
    ],
    "the pair is `missing`": [listed(missing=[PAIR, "ETH/USDT"]), listed(good(pair="ETH/USDT", current_price=1.0), missing=[PAIR])],
    "the signal is past its `valid_until`, or about another candle": [
        shifted(-1), shifted(-2), shifted(1), shifted(1, timestamp=moment(CLOSE)), shifted(-1, timestamp=moment(CLOSE)),
        changed(valid_until=moment(CLOSE + timedelta(seconds=3 * LENGTH))), changed(valid_until=moment(CLOSE)),
    ],
    "the signal was made before its candle had closed, or in the future": [
        changed(timestamp=moment(CLOSE - timedelta(seconds=1))), changed(timestamp=moment(CLOSE + timedelta(seconds=LENGTH - 1))),
    ],
    "a time has no time zone or is none": [
        changed(timestamp=moment(CLOSE)[:-1]), changed(candle_time=moment(CANDLE)[:-1]), changed(valid_until="tomorrow"),
        changed(valid_until=moment(CLOSE)[:10]), changed(timestamp="9999-99-99T00:00:00Z"), changed(candle_time="0001-01-01T00:00:00+14:00"),
    ],
    "the decision is HOLD, SELL or an unknown word": [changed(decision=word) for word in ("HOLD", "SELL", "buy", "STRONG_BUY", "BUY ", None, True)],
    "confidence or agreement is below the threshold": [changed(confidence=0.59), changed(agreement_score=0.49), changed(confidence=0)],
    "the signal is simulated, or does not say": [changed(simulated=True), changed(simulated="false"), changed(simulated=None), changed(simulated=0)],
    EDGE: [
        changed(), changed(probability=None), changed(probability={}), changed(probability=edge(0.55, None)), changed(probability=edge(None, 0.54)),
        changed(probability=edge(0.54, 0.54)), changed(probability=edge(0.53, 0.54)), changed(probability=edge(1, 1.2)),
    ],
    "the rate is at or beyond the suggested stop or target": [
        changed(suggested_stop_loss=50000.0), changed(suggested_stop_loss=50100.0), changed(suggested_take_profit=50000.0),
        changed(suggested_take_profit=49900.0),
    ],
    "the rate is over 5 % from the price that the models saw": [
        changed(current_price=53000.0, suggested_stop_loss=None, suggested_take_profit=None),
        changed(current_price=500.0, suggested_stop_loss=None, suggested_take_profit=None),
    ],
}  # fmt: skip

# What is tested below, each by itself.
OTHERS = {
    "the connection is refused, or the name is not known",
    "it redirects: not followed, so the key goes nowhere else",
    "it answered, and then stopped answering",
    "`current_time` or the rate that freqtrade gives is not usable",
    "freqtrade asks for a short, or for an entry with another tag, such as `/forceenter`",
    "an error in the strategy itself",
}


class Records(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage() + str(record.exc_info or ""))


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange, cls.folder = Exchange(), bot.folder()
        os.environ["THALAS_API_KEY"] = KEY
        os.environ["THALAS_URL"] = "http://127.0.0.1:9"
        cls.bot = bot.bot(cls.folder.name, cls.exchange.url, timeframe=TIMEFRAME)
        cls.records = Records()
        logging.getLogger().addHandler(cls.records)

    @classmethod
    def tearDownClass(cls):
        END.set()
        logging.getLogger().removeHandler(cls.records)
        cls.bot.cleanup()
        cls.exchange.close()
        cls.folder.cleanup()
        del os.environ["THALAS_API_KEY"], os.environ["THALAS_URL"]

    def setUp(self):
        bot.forget_trades()
        self.exchange.price = 50000.0
        self.records.texts.clear()

    def tearDown(self):
        said = "\n".join(self.records.texts)
        self.assertNotIn(KEY, said)

    def loops(self, url, count=1, timeout=5, require_edge=False):
        """Starts the strategy anew, runs whole loops and gives the number of trades."""
        os.environ["THALAS_URL"] = url
        self.bot.config["thalas"] = {"timeout": timeout, "require_edge": require_edge}
        bot.fresh_strategy(self.bot)
        for _ in range(count):
            self.bot.process()
        return self.trades()

    def trades(self):
        from freqtrade.persistence import Trade

        return len(Trade.get_trades().all())

    def confirm(self, **changes):
        """confirm_trade_entry as freqtrade calls it: an exception would be True."""
        from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper
        from freqtrade.util import dt_now

        signal = self.bot.strategy._signals.get(PAIR)
        arguments = {
            "pair": PAIR, "order_type": "limit", "amount": 0.002, "rate": 50000.0, "time_in_force": "GTC", "current_time": dt_now(),
            "entry_tag": signal.tag if signal else "thalas 019ab10f-6b62-7cc0-8000-5a3c0a1f9e21 0.7437 stop 48750.0 target 52250.0", "side": "long",
        }  # fmt: skip
        return strategy_safe_wrapper(self.bot.strategy.confirm_trade_entry, default_retval=True)(**arguments | changes)

    def serve(self, answer):
        server = Answers(answer)
        self.addCleanup(server.close)
        return server

    def test_good_answer_is_bought(self):
        """Without which the others would prove nothing."""
        for name, answer in {
            "listed": listed(good(), missing=["ETH/USDT"]),
            "without levels": changed(suggested_stop_loss=None, suggested_take_profit=None),
            "degraded, more fields, another pair's nonsense": listed(good(status="degraded", new_field=1), good(pair="ETH/USDT", confidence="x")),
            "at the thresholds": changed(confidence=0.6, agreement_score=0.5),
            "no probability yet": changed(probability=edge(None, 1.2)),
            "an edge": changed(probability=edge(0.55, 0.54)),
        }.items():
            with self.subTest(name):
                server = self.serve(answer)
                self.assertEqual(self.loops(server.url, require_edge=name == "an edge"), 1)
                self.assertIs(self.confirm(), True)
                self.assertEqual(server.headers[0]["x-api-key"], KEY)
                bot.forget_trades()

    def test_every_failure_is_closed(self):
        for name, answers in FAILURES.items():
            for number, answer in enumerate(answers, 1):
                with self.subTest(f"{name}, {number}"):
                    server = self.serve(answer)
                    self.assertEqual(self.loops(server.url, timeout=0.2 if name in HANGING else 5, require_edge=name == EDGE), 0)
                    self.assertIs(self.confirm(), False)
                    self.assertTrue(server.requests)

    def test_unreachable(self):
        server = Answers(hang)
        server.close()
        for url in (server.url, "http://name.invalid"):
            with self.subTest(url):
                self.assertEqual(self.loops(url), 0)
                self.assertIs(self.confirm(), False)

    def test_redirect(self):
        other = self.serve(listed(good()))
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status):
                server = self.serve(send("", status, [("Location", other.url + "/v1/consensus/latest")]))
                self.assertEqual(self.loops(server.url), 0)
                self.assertIs(self.confirm(), False)
                self.assertEqual(other.requests, [])

    def test_key_that_is_sent_back(self):
        self.loops(self.serve(send({"type": f"/problems/{KEY}", "title": KEY, "detail": KEY}, 500)).url)
        self.loops(self.serve(changed(decision=KEY, pair=KEY, id=KEY)).url)
        self.assertEqual(self.trades(), 0)

    def test_answered_and_then_stopped(self):
        """The signal is used until its valid_until, and not a moment longer."""
        server = Answers(listed(good(), good(pair="ETH/USDT", decision="HOLD")))
        self.loops(server.url)
        server.close()
        bot.forget_trades()
        strategy = self.bot.strategy
        end = CLOSE + timedelta(seconds=LENGTH)
        self.assertIs(self.confirm(current_time=end - timedelta(microseconds=1)), True)
        self.assertIs(self.confirm(current_time=end), False)
        strategy.bot_loop_start(current_time=end)
        strategy.analyze([PAIR])
        dataframe, _ = self.bot.dataprovider.get_analyzed_dataframe(PAIR, TIMEFRAME)
        self.assertEqual(strategy.get_entry_signal(PAIR, TIMEFRAME, dataframe), (None, None))

    def test_what_freqtrade_gives(self):
        server = self.serve(listed(good(), good(pair="ETH/USDT", decision="HOLD")))
        self.loops(server.url)
        self.assertIs(self.confirm(), True)
        asked = len(server.requests)
        for changes in (
            {"current_time": None}, {"current_time": CLOSE.replace(tzinfo=None)}, {"current_time": CLOSE - timedelta(seconds=1)},
            {"rate": float("nan")}, {"rate": float("inf")}, {"rate": None}, {"rate": 0.0}, {"rate": 48750.0}, {"rate": 52250.0},
            {"side": "short"}, {"side": None}, {"entry_tag": None}, {"entry_tag": "force_entry"}, {"entry_tag": "thalas 2 0.7437"},
            {"pair": "ETH/USDT"}, {"pair": "SOL/USDT"}, {"pair": None},
        ):  # fmt: skip
            with self.subTest(changes):
                self.assertIs(self.confirm(**changes), False)
        self.assertEqual(len(server.requests), asked, "confirm_trade_entry asked the service")

    def test_error_in_the_strategy(self):
        self.loops(self.serve(listed(good())).url)
        self.assertIs(self.confirm(), True)
        for name, broken in (("_signals", None), ("min_confidence", None), ("max_price_drift", "5 %"), ("config", {})):
            with self.subTest(name):
                before = getattr(self.bot.strategy, name)
                setattr(self.bot.strategy, name, broken)
                self.addCleanup(setattr, self.bot.strategy, name, before)
                self.assertIs(self.bot.strategy.confirm_trade_entry(PAIR, "limit", 1.0, 50000.0, "GTC", CLOSE, "x", "long"), False)
                setattr(self.bot.strategy, name, before)

    def test_readme_has_the_same_table(self):
        rows = set()
        for line in (bot.EXAMPLE / "README.md").read_text().split("## What can go wrong", 1)[1].split("\n## ")[0].splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("|") and cells[0] not in ("failure", "---"):
                rows.add(cells[0])
                self.assertTrue(cells[1].startswith("nothing is bought"), line)
        self.assertEqual(rows, set(FAILURES) | OTHERS)
