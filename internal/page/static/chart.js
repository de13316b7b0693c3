// The candles that the models saw, with the decision, its levels, and the window of three candles that it is about. Where the outcome is
// known, its entry and exit are points; no line is drawn between them, since nobody measured it.

import { html, useEffect, useRef } from './html.js';
import { decimals, isUTC, price, stepSeconds, useZone, when } from './format.js';
import { Values } from './parts.js';

const shown = 120;

// color resolves a colour of the stylesheet to what a canvas understands.
function color(element, name) {
  element.style.color = `var(--${name})`;
  const value = getComputedStyle(element).color;
  element.style.color = '';
  return value;
}

// windowShade fills the time from one moment to another behind the candles.
function windowShade(chart, from, to, fill) {
  const draw = (target) => target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio: ratio }) => {
    const [a, b] = [from, to].map((t) => chart.timeScale().timeToCoordinate(t));
    if (a === null || b === null) return;
    const half = chart.timeScale().options().barSpacing / 2;
    context.fillStyle = fill;
    context.fillRect((a - half) * ratio, 0, (b - a + 2 * half) * ratio, bitmapSize.height);
  });
  const view = { zOrder: () => 'bottom', renderer: () => ({ draw }) };
  return { paneViews: () => [view], updateAllViews: () => {} };
}

function build(library, element, { result, candles, outcome }) {
  const c = (name) => color(element, name);
  const step = stepSeconds(result.timeframe);
  const t0 = Date.parse(result.candle_time) / 1000 + step;
  const chart = library.createChart(element, {
    autoSize: true,
    layout: { attributionLogo: false, background: { color: 'transparent' }, textColor: c('muted'), fontFamily: getComputedStyle(element).fontFamily, fontSize: 11 },
    grid: { vertLines: { visible: false }, horzLines: { color: c('line') } },
    crosshair: { mode: 0, vertLine: { labelBackgroundColor: c('ink') }, horzLine: { labelBackgroundColor: c('ink') } },
    rightPriceScale: { borderColor: c('line') },
    timeScale: { borderColor: c('line'), timeVisible: step < 86400, rightOffset: 1, tickMarkFormatter: (t, kind) => tick(t, kind) },
    localization: { timeFormatter: (t) => when(t * 1000), priceFormatter: (p) => price(Number(p.toFixed(digits))) },
    handleScroll: { mouseWheel: false, vertTouchDrag: false }, // the page scrolls; dragging moves the chart
    handleScale: { mouseWheel: false },
  });
  const traded = Math.max(...candles.map((k) => decimals(k.close)), decimals(result.current_price)); // levels may have two digits more
  const digits = Math.min(12, traded + 2, Math.max(traded, ...[result.suggested_stop_loss, result.suggested_take_profit].map((p) => (p == null ? 0 : decimals(p)))));
  const series = chart.addSeries(library.CandlestickSeries, {
    upColor: c('surface'), borderUpColor: c('buy'), wickUpColor: c('buy'), downColor: c('sell'), borderDownColor: c('sell'), wickDownColor: c('sell'),
    priceFormat: { type: 'custom', minMove: 10 ** -digits, formatter: (p) => price(Number(p.toFixed(digits))) }, priceLineVisible: false, lastValueVisible: false,
    autoscaleInfoProvider: (original) => withLevels(original(), [result.suggested_stop_loss, result.suggested_take_profit, result.current_price, outcome?.exit_price]),
  });
  const future = [0, 1, 2].map((i) => t0 + i * step).filter((t) => t > candles.at(-1).time);
  series.setData([...candles.map(({ time, open, high, low, close }) => ({ time, open, high, low, close })), ...future.map((time) => ({ time }))]);
  series.attachPrimitive(windowShade(chart, t0, t0 + 2 * step, c('shade')));
  const line = (value, title, name, lineStyle) => value != null && series.createPriceLine({ price: value, title, color: c(name), lineWidth: 1, lineStyle, axisLabelVisible: true });
  line(result.current_price, 'price', 'muted', 1);
  line(result.suggested_stop_loss, 'stop', 'sell', 2);
  line(result.suggested_take_profit, 'target', 'buy', 2);
  const up = result.raw_decision === 'BUY';
  if (result.raw_decision !== 'HOLD') {
    const gated = result.decision === 'HOLD';
    library.createSeriesMarkers(series, [{ time: candles.at(-1).time, position: up ? 'belowBar' : 'aboveBar', shape: up ? 'arrowUp' : 'arrowDown', color: c(gated ? 'muted' : up ? 'buy' : 'sell'), text: gated ? `${result.raw_decision} held` : result.decision }]);
  }
  if (outcome?.status === 'settled') {
    const points = chart.addSeries(library.LineSeries, { color: c('accent'), lineVisible: false, pointMarkersVisible: true, pointMarkersRadius: 4, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false });
    points.setData([{ time: t0, value: outcome.reference_price }, { time: t0 + 2 * step, value: outcome.exit_price }]);
    library.createSeriesMarkers(points, [{ time: t0 + 2 * step, position: 'inBar', shape: 'circle', color: c('accent'), size: 0.1, text: 'exit' }]);
  }
  chart.timeScale().setVisibleLogicalRange({ from: Math.max(-1, candles.length - (element.clientWidth < 500 ? 36 : 90)), to: candles.length + (element.clientWidth < 500 ? 9 : 12) });
  return chart;
}

function withLevels(info, levels) {
  if (!info) return info;
  const known = levels.filter((l) => l != null);
  return { ...info, priceRange: { minValue: Math.min(info.priceRange.minValue, ...known), maxValue: Math.max(info.priceRange.maxValue, ...known) } };
}

// tick labels the time axis in the zone that the page shows: kinds 0 to 2 are years, months and days.
function tick(t, kind) {
  const zone = { timeZone: isUTC() ? 'UTC' : undefined };
  if (kind === 0) return new Date(t * 1000).toLocaleDateString('en-GB', { year: 'numeric', ...zone });
  if (kind <= 2) return new Date(t * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...zone });
  return new Date(t * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...zone });
}

// candlesOf reads the candles that the models saw, oldest first; those without a time are placed back from the last closed candle.
export function candlesOf(result) {
  const rows = result.market_data?.recent_candles;
  if (!Array.isArray(rows) || rows.length === 0) return [];
  const step = stepSeconds(result.timeframe);
  const last = Date.parse(result.candle_time) / 1000;
  const seen = new Set();
  return rows.slice(-shown).map((k, i, all) => ({ ...k, time: k.time == null ? last - (all.length - 1 - i) * step : Date.parse(k.time) / 1000 }))
    .filter((k) => Number.isFinite(k.time) && !seen.has(k.time) && seen.add(k.time)).sort((a, b) => a.time - b.time);
}

export function Chart({ result, outcome }) {
  const zone = useZone();
  const holder = useRef();
  const candles = candlesOf(result);
  const zoom = useRef(() => {});
  const dark = matchMedia('(prefers-color-scheme: dark)');
  useEffect(() => {
    if (candles.length === 0) return undefined;
    let chart = null;
    let gone = false;
    let library = null;
    const draw = () => {
      chart?.remove();
      chart = build(library, holder.current, { result, candles, outcome });
      zoom.current = (by) => {
        const range = chart.timeScale().getVisibleLogicalRange();
        const middle = range.to - (range.to - range.from) * by;
        chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, middle), to: range.to });
      };
    };
    import('./charts.js').then((loaded) => {
      if (gone) return;
      library = loaded;
      draw();
      dark.addEventListener('change', draw);
    });
    return () => {
      gone = true;
      dark.removeEventListener('change', draw);
      chart?.remove();
    };
  }, [result.id, outcome?.status, zone]);
  if (candles.length === 0) {
    return html`<p class="state">${result.market_data ? 'The models saw no candles: the question had none.' : 'What the models saw is not kept with this result.'}</p>`;
  }
  const first = candles[0];
  const last = candles.at(-1);
  const label = `${candles.length} candles from ${when(first.time * 1000)} to ${when(last.time * 1000)}, last close ${price(last.close)}; price ${price(result.current_price)}`
    + (result.suggested_stop_loss == null ? '' : `, stop ${price(result.suggested_stop_loss)}`) + (result.suggested_take_profit == null ? '' : `, target ${price(result.suggested_take_profit)}`)
    + (outcome?.status === 'settled' ? `, exit ${price(outcome.exit_price)}` : '') + '.';
  return html`<figure class="chart"><div ref=${holder} class="canvas" role="img" aria-label=${label}></div>
    <figcaption><span><i class="swatch shade"></i> the three candles that the decision is about</span><span>hollow rises, filled falls</span>${outcome?.status === 'settled' && html`<span><i class="swatch point"></i> the price it is measured from, and the exit</span>`}
      <span class="zoom"><button class="quiet" onClick=${() => zoom.current(0.6)} aria-label="Show fewer candles">+</button><button class="quiet" onClick=${() => zoom.current(1.6)} aria-label="Show more candles">−</button></span></figcaption>
    <${Values} caption="Candles" columns=${['Open time', 'Open', 'High', 'Low', 'Close', 'Volume']} rows=${candles.toReversed().map((k) => [when(k.time * 1000), price(k.open), price(k.high), price(k.low), price(k.close), price(k.volume)])} /></figure>`;
}
