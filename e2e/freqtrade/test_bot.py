"""A dry-run bot on the real binary: it buys, keeps the levels, sells, and asks no more often than it says."""

import os
import unittest
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import bot
from exchange import Exchange
from service import KEY, Answers, Binary, consensus, problem, send

TIMEFRAME, CANDLE = bot.steady_timeframe()
PAIR, OTHER = "BTC/USDT", "ETH/USDT"


class OnTheRealService(unittest.TestCase):
    simulate = False

    def setUp(self):
        self.exchange, self.folder = Exchange(), bot.folder()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(self.exchange.close)
        self.service = Binary(self.folder.name, simulate=self.simulate)
        self.addCleanup(self.service.close)

    def start(self, **thalas):
        made = bot.bot(self.folder.name, self.exchange.url, timeframe=TIMEFRAME, thalas={"url": self.service.url, "api_key": KEY} | thalas)
        made.strategy.retry_seconds = 0
        self.addCleanup(made.cleanup)
        return made

    def ask(self, direction, pair=PAIR):
        answer = self.service.ask(pair, TIMEFRAME, 50000.0, CANDLE, direction)
        self.assertEqual(answer["decision"], direction)
        return answer


class Trading(OnTheRealService):
    def trades(self):
        from freqtrade.persistence import Trade

        return Trade.get_trades().all()

    def test_buys_once_keeps_the_levels_and_takes_the_target(self):
        made = self.start()
        made.process()
        self.assertEqual(self.trades(), [], "bought without a signal")

        answer = self.ask("BUY")
        made.process()
        (trade,) = self.trades()
        stop, target = float(answer["suggested_stop_loss"]), float(answer["suggested_take_profit"])
        self.assertEqual(trade.enter_tag, f"thalas {answer['id']} {answer['confidence']:.4f} stop {stop} target {target}")
        self.assertEqual((trade.stop_loss, trade.initial_stop_loss), (stop, 45000.0))

        # A restart without the service: the levels are in the trade.
        self.service.close()
        bot.fresh_strategy(made)
        self.exchange.price = target - 0.01
        made.process()
        self.assertTrue(self.trades()[0].is_open)
        self.assertEqual(self.trades()[0].stop_loss, stop)
        self.exchange.price = target
        made.process()
        (trade,) = self.trades()
        self.assertEqual((trade.is_open, trade.exit_reason), (False, "thalas target"))

    def test_one_signal_buys_once(self):
        made = self.start()
        answer = self.ask("BUY")
        made.process()
        self.exchange.price = answer["suggested_take_profit"]
        made.process()
        self.exchange.price = 50000.0
        made.process()
        made.process()
        self.assertEqual([trade.is_open for trade in self.trades()], [False])

    def test_sells_at_the_stop(self):
        made = self.start()
        answer = self.ask("BUY")
        made.process()
        self.exchange.price = answer["suggested_stop_loss"] - 1
        made.process()
        (trade,) = self.trades()
        self.assertEqual((trade.is_open, trade.exit_reason), (False, "stop_loss"))

    def test_sells_on_sell(self):
        made = self.start()
        self.ask("BUY")
        made.process()
        self.ask("SELL")
        made.process()
        self.assertTrue(self.trades()[0].is_open, "the service was asked twice about a candle")
        bot.fresh_strategy(made)
        made.process()
        (trade,) = self.trades()
        self.assertEqual((trade.is_open, trade.exit_reason), (False, "thalas SELL"))

    def test_hold_does_nothing(self):
        made = self.start()
        self.ask("HOLD")
        made.process()
        self.assertEqual(self.trades(), [])


class Simulated(OnTheRealService):
    simulate = True

    def test_refused_unless_allowed(self):
        from freqtrade.persistence import Trade

        made = self.start()
        self.assertTrue(self.ask("BUY")["simulated"])
        made.process()
        self.assertEqual(Trade.get_trades().all(), [])
        made.config["thalas"]["allow_simulated"] = True
        bot.fresh_strategy(made)
        made.process()
        self.assertEqual(len(Trade.get_trades().all()), 1)


class Asking(unittest.TestCase):
    """When and how often the service is asked, on candles of five minutes and a clock of the test's own."""

    def setUp(self):
        from freqtrade.enums import RunMode

        self.now = datetime(2026, 11, 23, 5, 0, 0, tzinfo=timezone.utc)
        self.reply = problem("no-signal-yet", 404)
        self.server = Answers(lambda handler: self.reply(handler))
        self.addCleanup(self.server.close)
        self.whitelist = [PAIR]
        self.strategy = bot.strategy({"runmode": RunMode.DRY_RUN, "timeframe": "5m", "thalas": {"url": self.server.url + "/prod/"}})
        self.strategy.dp = SimpleNamespace(current_whitelist=lambda: self.whitelist)
        self.strategy.ft_bot_start()

    def loop(self, seconds):
        self.strategy.bot_loop_start(current_time=self.now + timedelta(seconds=seconds))
        return len(self.server.requests)

    def signal(self, candles=0, **changes):
        return consensus("5m", self.now + timedelta(minutes=5 * (candles - 1)), **changes)

    def test_every_15_seconds_until_it_is_there_then_not_at_all(self):
        self.assertEqual([self.loop(s) for s in (0, 5, 10, 15, 20, 25, 30, 35)], [1, 1, 1, 2, 2, 2, 3, 3])
        self.reply = send(self.signal(timestamp="2026-11-23T05:00:40Z"))
        self.assertEqual([self.loop(s) for s in (45, 50, 60, 120, 299)], [4, 4, 4, 4, 4])
        self.assertEqual([self.loop(s) for s in (300, 305, 315)], [5, 5, 6], "the next candle")
        self.assertEqual(self.loop(30), 7, "a clock that was set back does not stop it")
        query = parse_qs(urlsplit(self.server.requests[0]).query)
        self.assertEqual(query, {"pair": [PAIR], "timeframe": ["5m"], "max_age": ["600"]})
        self.assertTrue(self.server.requests[0].startswith("/prod/v1/consensus/latest?"))

    def test_hold_is_an_answer_and_one_call_asks_for_all_that_is_missing(self):
        self.whitelist = ["ETH/USDT", "BTC/USDT:USDT", "kPEPE/USDC:USDC", "BTC/USDT:USDT-261225"]
        self.reply = send({"items": [self.signal(pair="BTC/USDT:USDT", decision="HOLD", confidence=0.0)], "missing": ["ETH/USDT", "KPEPE/USDC:USDC"]})
        self.assertEqual((self.loop(0), self.loop(15)), (1, 2))
        first, second = (parse_qs(urlsplit(path).query)["pair"] for path in self.server.requests)
        self.assertEqual(first, ["BTC/USDT:USDT", "ETH/USDT", "KPEPE/USDC:USDC"])
        self.assertEqual(second, ["ETH/USDT", "KPEPE/USDC:USDC"])

    def test_more_pairs_than_a_call_may_have(self):
        self.whitelist = [f"A{n}/USDT" for n in range(150)]
        self.reply = send({"items": [], "missing": []})
        self.loop(0)
        self.assertEqual([len(parse_qs(urlsplit(path).query)["pair"]) for path in self.server.requests], [100, 50])

    def test_a_good_signal_outlives_a_failure(self):
        self.reply = send({"items": [self.signal(), self.signal(pair=OTHER, confidence="x")]})
        self.whitelist = [PAIR, OTHER]
        self.loop(0)
        self.reply = send("", 500)
        self.loop(15)
        self.assertEqual([self.entries(s) for s in (20, 299, 300)], [1, 1, 0])

    def entries(self, seconds):
        """Of what the analysis of this moment says: whether its last row is an entry."""
        self.loop(seconds)
        return int(self.analysed(self.now - timedelta(minutes=5))["enter_long"].fillna(0).iloc[-1])

    def analysed(self, last):
        from pandas import DataFrame, date_range

        frame = DataFrame({"date": date_range(end=last, periods=3, freq="5min"), "enter_long": 0, "exit_long": 0})
        for step in (self.strategy.populate_indicators, self.strategy.populate_entry_trend, self.strategy.populate_exit_trend):
            frame = step(frame, {"pair": PAIR})
        return frame

    def test_only_the_row_of_its_own_candle(self):
        self.reply = send(self.signal())
        self.loop(0)
        for late, want in ((-5, [0, 0, 1]), (-10, [0, 0, 0]), (0, [0, 0, 0])):
            with self.subTest(f"the last row is {late} minutes away"):
                self.assertEqual(list(self.analysed(self.now + timedelta(minutes=late))["enter_long"]), want)

    def test_not_in_a_backtest(self):
        from freqtrade.enums import RunMode

        for mode in set(RunMode) - {RunMode.LIVE, RunMode.DRY_RUN}:
            self.strategy.config["runmode"] = mode
            self.assertEqual(self.loop(0), 0)


class Levels(unittest.TestCase):
    def setUp(self):
        from freqtrade.enums import RunMode

        self.strategy = bot.strategy({"runmode": RunMode.DRY_RUN, "timeframe": "5m"})

    def call(self, method, tag, rate, **changes):
        trade = SimpleNamespace(**{"enter_tag": tag, "open_rate": 100.0, "is_short": False, "leverage": 1.0, "stop_loss": 90.0} | changes)
        arguments = {"pair": PAIR, "trade": trade, "current_time": None, "current_rate": rate, "current_profit": 0.0}
        if method == "custom_stoploss":
            arguments["after_fill"] = False
        return getattr(self.strategy, method)(**arguments)

    def test_stop(self):
        for tag, rate, want in (
            ("thalas id 0.74 stop 95.0 target 110.0", 100.0, 0.05), ("thalas id 0.74 stop 95.0", 100.0, 0.05), ("thalas id 0.74 stop 1.2e-05", 100.0, None),
            ("thalas id 0.74 target 110.0", 100.0, None), ("thalas id 0.74", 100.0, None), (None, 100.0, None), ("force_entry", 100.0, None),
            ("thalas id 0.74 stop 95.0", 95.0, None), ("thalas id 0.74 stop 95.0", 94.0, None), ("thalas id 0.74 stop 89.0", 100.0, None),
            ("thalas id 0.74 stop 95.0", float("nan"), None),
        ):  # fmt: skip
            with self.subTest(tag=tag, rate=rate):
                got = self.call("custom_stoploss", tag, rate)
                self.assertEqual(got if got is None else round(got, 9), want)

    def test_exit(self):
        tag = "thalas id 0.74 stop 95.0 target 110.0"
        for rate, changes, want in (
            (110.0, {}, "thalas target"), (109.99, {}, None), (95.0, {}, "thalas stop"), (95.01, {}, None),
            (94.0, {"stop_loss": 95.0}, None), (float("nan"), {}, None),
        ):  # fmt: skip
            with self.subTest(rate=rate, changes=changes):
                self.assertEqual(self.call("custom_exit", tag, rate, **changes), want)
        self.assertIsNone(self.call("custom_exit", "force_entry", 120.0))

    def test_an_order_outlives_its_signal_in_no_case(self):
        placed = datetime(2026, 11, 23, 5, 1, 30, tzinfo=timezone.utc)
        order = SimpleNamespace(order_date_utc=placed)
        for seconds, want in ((0, False), (209, False), (210, True), (900, True)):
            self.assertIs(self.strategy.check_entry_timeout(PAIR, None, order, placed + timedelta(seconds=seconds)), want)


class Settings(unittest.TestCase):
    """What is wrong in the configuration stops the bot at its start, without the key in the text."""

    def test_mistakes(self):
        from freqtrade.enums import RunMode
        from freqtrade.exceptions import StrategyError

        good = {"url": "http://127.0.0.1:1", "api_key": KEY}
        for name, changes in {
            "no address": {"thalas": {}},
            "no object": {"thalas": "http://127.0.0.1:1"},
            "unknown setting": {"thalas": good | {"allow_simulate": True}},
            "allow_simulated no boolean": {"thalas": good | {"allow_simulated": "false"}},
            "require_edge no boolean": {"thalas": good | {"require_edge": 1}},
            "simulated and live": {"thalas": good | {"allow_simulated": True}, "runmode": RunMode.LIVE},
            "other scheme": {"thalas": good | {"url": "ftp://127.0.0.1"}},
            "no host": {"thalas": good | {"url": "127.0.0.1:8787"}},
            "user in the address": {"thalas": good | {"url": f"http://user:{KEY}@127.0.0.1"}},
            "query in the address": {"thalas": good | {"url": f"http://127.0.0.1?key={KEY}"}},
            "port": {"thalas": good | {"url": "http://127.0.0.1:99999"}},
            "line break in the key": {"thalas": good | {"api_key": KEY + "\n"}},
            "key no text": {"thalas": good | {"api_key": 7}},
            "timeout 0": {"thalas": good | {"timeout": 0}},
            "timeout as text": {"thalas": good | {"timeout": "2"}},
            "timeframe": {"thalas": good, "timeframe": "1M"},
            "only new candles": {"thalas": good, "process_only_new_candles": True},
            "backtest without history": {"thalas": good, "runmode": RunMode.BACKTEST},
            "backtest of a CSV on edges": {"thalas": good | {"history": "signals.csv", "require_edge": True}, "runmode": RunMode.BACKTEST},
        }.items():
            with self.subTest(name), self.assertLogs() as logs, self.assertRaises(StrategyError) as caught:
                bot.strategy({"runmode": RunMode.DRY_RUN, "timeframe": "5m"} | changes).ft_bot_start()
            self.assertNotIn(KEY, str(caught.exception) + str(logs.output))

    def test_environment_goes_first(self):
        from freqtrade.enums import RunMode

        server = Answers(problem("no-signal-yet", 404))
        self.addCleanup(server.close)
        os.environ |= {"THALAS_URL": server.url, "THALAS_API_KEY": KEY}
        self.addCleanup(os.environ.pop, "THALAS_URL")
        self.addCleanup(os.environ.pop, "THALAS_API_KEY")
        strategy = bot.strategy({"runmode": RunMode.DRY_RUN, "timeframe": "5m", "thalas": {"url": "http://127.0.0.1:1", "api_key": "test"}})
        strategy.dp = SimpleNamespace(current_whitelist=lambda: [PAIR])
        strategy.ft_bot_start()
        strategy.bot_loop_start(current_time=CANDLE)
        self.assertEqual(server.headers[0]["x-api-key"], KEY)
