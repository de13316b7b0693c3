"""Backtests on exported history: what is bought when, at which price, and never before it was known."""

import csv
import json
import logging
import subprocess
import unittest
from datetime import timedelta
from pathlib import Path

import bot
from exchange import Exchange
from history import COLUMNS, FIRST, STEP, rising, signals, write_candles, write_csv, write_lines
from service import BINARY, KEY, Answers, Binary, hang_up

CANDLES = 120


class Backtest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exchange = Exchange()

    @classmethod
    def tearDownClass(cls):
        cls.exchange.close()

    def setUp(self):
        folder = bot.folder()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # A service that is there and must not be asked.
        self.server = Answers(hang_up)
        self.addCleanup(self.server.close)

    def tearDown(self):
        self.assertEqual(self.server.requests, [], "a backtest asked the service")

    def backtest(self, items, opens=None, file="signals.csv", **thalas):
        """Runs freqtrade's backtest in this process; gives the trades."""
        write_candles(self.folder, opens or rising(CANDLES))
        (write_csv if file.endswith("csv") else write_lines)(self.folder / file, items)
        return self.run_backtest(timerange=f"{FIRST:%Y%m%d}-", history=str(self.folder / file), **thalas)

    def run_backtest(self, timerange, timeframe="5m", **thalas):
        from freqtrade.configuration import Configuration
        from freqtrade.enums import RunMode
        from freqtrade.optimize.backtesting import Backtesting

        config = bot.configuration(
            self.folder, self.exchange.url, timeframe=timeframe, thalas={"url": self.server.url, "api_key": KEY} | thalas,
            dataformat_ohlcv="json", timerange=timerange, export="none", backtest_cache="none", fee=0.0,
        )  # fmt: skip
        path = bot.write(self.folder, config)
        made = Configuration({"config": [str(path)]}, RunMode.BACKTEST).get_config()
        logging.getLogger().handlers.clear()
        backtesting = Backtesting(made)
        try:
            backtesting.start()
        finally:
            Backtesting.cleanup()
            backtesting.exchange.close()
        return backtesting.all_bt_content["LLMConsensusStrategy"]["results"].to_dict("records")

    def test_bought_at_the_first_open_after_the_signal_was_made(self):
        for file in ("signals.csv", "signals.jsonl"):
            with self.subTest(file):
                items = signals([("BUY", 10, {}), ("SELL", 20, {})])
                (trade,) = self.backtest(items, file=file)
                # About candle 10, made while candle 11 formed: bought at the open of 12.
                self.assertEqual((trade["open_date"], trade["open_rate"]), (FIRST + 12 * STEP, 50012.0))
                self.assertEqual((trade["close_date"], trade["close_rate"], trade["exit_reason"]), (FIRST + 22 * STEP, 50022.0, "thalas SELL"))
                self.assertEqual(trade["enter_tag"], "thalas 019ab10f-6b62-7cc0-8000-000000000001 0.7437")

    def test_never_before_it_was_known(self):
        """Whenever it was made: from the candle's close to the last moment that a bot could use it, and beyond."""
        for delay, bought in ((0, True), (0.001, True), (61, True), (299.999, True), (300, False), (301, False), (-0.001, False), (86400, False)):
            with self.subTest(delay):
                items = signals([("BUY", 10, {})], delay) + signals([("HOLD", 5, {})])
                trades = self.backtest(items)
                self.assertEqual(len(trades), int(bought))
                for trade in trades:
                    self.assertGreaterEqual(trade["open_date"].isoformat(), items[0]["timestamp"].replace("Z", "+00:00"))
                    self.assertEqual(trade["open_date"], FIRST + 12 * STEP)

    def test_what_comes_later_changes_nothing_before(self):
        described = [("BUY", 10, {}), ("SELL", 20, {}), ("BUY", 30, {}), ("SELL", 40, {})]
        whole = self.backtest(signals(described))
        part = self.backtest(signals(described[:2]))
        self.assertEqual([t["open_date"] for t in whole], [FIRST + 12 * STEP, FIRST + 32 * STEP])
        self.assertEqual([(t["open_date"], t["close_date"]) for t in part], [(t["open_date"], t["close_date"]) for t in whole[:1]])

    def test_levels(self):
        opens = rising(30) + [50500.0 + n for n in range(30)] + [49000.0] * 60
        changes = {"suggested_stop_loss": 49900.0, "suggested_take_profit": 50500.0}
        target, stop = self.backtest(signals([("BUY", 10, changes), ("BUY", 40, {"current_price": 50511.0, "suggested_stop_loss": 50000.0})]), opens)
        self.assertEqual((target["exit_reason"], target["close_date"], target["close_rate"]), ("thalas target", FIRST + 30 * STEP, 50500.0))
        self.assertEqual((stop["open_date"], stop["stop_loss_abs"]), (FIRST + 42 * STEP, 50000.0))
        self.assertEqual((stop["exit_reason"], stop["close_rate"]), ("stop_loss", 50000.0))

    def test_doubts_buy_nothing(self):
        rest = [("HOLD", 5, {})]  # a file without any usable result is refused
        for name, changes in {
            "hold": {"decision": "HOLD"}, "sell": {"decision": "SELL"}, "confidence": {"confidence": 0.59}, "agreement": {"agreement_score": 0.49},
            "simulated": {"simulated": True}, "timeframe": {"timeframe": "1d", "valid_until": (FIRST + 10 * STEP + timedelta(days=2)).isoformat()},
            "pair": {"pair": "BTC/USDT:USDT"}, "price": {"current_price": 40000.0}, "stop": {"suggested_stop_loss": 50100.0},
            "target": {"suggested_take_profit": 50000.0},
        }.items():  # fmt: skip
            with self.subTest(name):
                self.assertEqual(self.backtest(signals([("BUY", 10, changes)] + rest)), [])
        self.assertEqual(len(self.backtest(signals([("BUY", 10, {"simulated": True})]), allow_simulated=True)), 1)

    def test_the_newest_of_a_candle_wins(self):
        self.assertEqual(self.backtest(signals([("BUY", 10, {}), ("HOLD", 10, {})])), [])
        self.assertEqual(len(self.backtest(signals([("HOLD", 10, {}), ("BUY", 10, {})]))), 1)

    def test_a_history_that_is_not_right_is_refused(self):
        from freqtrade.exceptions import StrategyError

        item = signals([("BUY", 10, {})])[0]
        for name, (file, text) in {
            "missing": ("none.csv", None),
            "other kind": ("signals.txt", "x"),
            "empty": ("signals.jsonl", ""),
            "NaN": ("signals.jsonl", json.dumps(item | {"confidence": float("nan")})),
            "no JSON": ("signals.jsonl", json.dumps(item)[:-5]),
            "no result": ("signals.json", "7"),
            "confidence as text": ("signals.jsonl", json.dumps(item | {"confidence": "0.9"})),
            "no column of the CSV": ("signals.csv", ",".join(COLUMNS[:-6]) + "\n" + ",".join(["x"] * (len(COLUMNS) - 6)) + "\n"),
            "only simulated ones": ("signals.jsonl", json.dumps(item | {"simulated": True})),
        }.items():
            with self.subTest(name), self.assertRaises(StrategyError):
                write_candles(self.folder, rising(CANDLES))
                if text is not None:
                    (self.folder / file).write_text(text)
                self.run_backtest(timerange=f"{FIRST:%Y%m%d}-", history=str(self.folder / file))

    def test_pages_of_the_api(self):
        write_candles(self.folder, rising(CANDLES))
        (self.folder / "page.json").write_text(json.dumps({"items": signals([("BUY", 10, {})]), "next_cursor": None}))
        self.assertEqual(len(self.run_backtest(timerange=f"{FIRST:%Y%m%d}-", history=str(self.folder / "page.json"))), 1)

    def test_a_real_export(self):
        timeframe, candle = bot.steady_timeframe()
        service = Binary(self.folder)
        self.addCleanup(service.close)
        answer = service.ask("BTC/USDT", timeframe, 50000.0, candle, "BUY")
        length = (bot.moment(answer["valid_until"]) - candle) / 2
        # Its candle is of today, and the candles of the backtest go on beyond it.
        first = candle - 20 * length
        write_candles(self.folder, [50000.0] * 40, timeframe=timeframe, first=first)
        for form in ("csv", "jsonl"):
            with self.subTest(form):
                exported = subprocess.run(
                    [BINARY, "export", "BTC/USDT", "--timeframe", timeframe, "--format", form, "--url", service.url],
                    env=service.environment | {"THALAS_API_KEY": KEY}, capture_output=True, text=True, check=True,
                ).stdout  # fmt: skip
                (self.folder / f"real.{form}").write_text(exported)
                if form == "csv":
                    self.assertEqual(next(csv.reader(exported.splitlines())), COLUMNS)
                (trade,) = self.run_backtest(f"{first:%Y%m%d}-", timeframe, history=str(self.folder / f"real.{form}"))
                self.assertIn(f"thalas {answer['id']} ", trade["enter_tag"])
                self.assertEqual(trade["open_date"], candle + 2 * length)

    def test_the_command(self):
        write_candles(self.folder, rising(CANDLES))
        write_csv(self.folder / "signals.csv", signals([("BUY", 10, {}), ("SELL", 20, {})]))
        config = bot.write(self.folder, bot.configuration(self.folder, self.exchange.url, thalas={"history": "signals.csv"}))
        code, said = bot.run(
            self.folder, "backtesting", "--config", str(config), "--timerange", f"{FIRST:%Y%m%d}-", "--data-format-ohlcv", "json",
            "--cache", "none", "--export", "none", "--no-color",
        )  # fmt: skip
        self.assertEqual(code, 0, said)
        self.assertIn("2 of 2 results can be traded", said)
        self.assertRegex(said, r"thalas 019ab10f")
