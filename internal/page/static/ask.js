// Ask: the only place that asks the models, after a click whose button says that it costs. The idempotency key stays the same until an
// answer came or the question was changed, so a question that is sent again after a broken connection is paid for once.

import { html, useEffect, useRef, useState } from './html.js';
import { ask, useGet } from './api.js';
import { plural, timeframes, usd } from './format.js';
import { refresh, useLive } from './live.js';
import { linkTo, Say, SimulatedHere, Trouble } from './parts.js';
import { readCandles } from './csv.js';

const newKey = () => 'page-' + Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

function Elapsed({ since }) {
  const [now, set] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => set(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return html`<span class="n">${((now - since) / 1000).toFixed(1)} s</span>`;
}

// estimate is the mean cost of today's decisions, where there were any.
function estimate(metrics) {
  if (!metrics || !(metrics.successful_requests > 0)) return null;
  const cost = metrics.cost_usd ?? metrics.providers.reduce((total, p) => total + p.cost_usd, 0);
  return cost / metrics.successful_requests;
}

export function Ask() {
  const { health } = useLive();
  const metrics = useGet('v1/metrics?window=day').body;
  const [form, set] = useState({ pair: '', timeframe: '1h', price: '', indicators: '' });
  const [file, setFile] = useState(null);
  const [run, setRun] = useState({});
  const sent = useRef({});
  const put = (name) => (e) => set({ ...form, [name]: e.target.value });
  const pick = async (e) => {
    const [chosen] = e.target.files;
    if (!chosen) return setFile(null);
    try {
      const candles = readCandles(await chosen.text());
      if (candles.length === 0) throw new Error('The file has no candles below its heading line.');
      setFile({ name: chosen.name, candles: candles.slice(-500), all: candles.length });
      if (!form.price) set({ ...form, price: String(candles.at(-1).close) });
    } catch (error) {
      setFile({ name: chosen.name, error: error.message });
    }
  };
  // The models are asked by the button alone, never by Enter in a field.
  const send = async (e) => {
    if (!e.target.form.reportValidity() || sent.current.busy) return undefined;
    let marketData = {};
    try {
      if (form.indicators.trim()) marketData = JSON.parse(form.indicators);
    } catch {
      return setRun({ problem: { title: 'The indicators are no JSON', detail: 'Write an object such as {"rsi": 65.5}.' } });
    }
    if (file?.candles) marketData = { ...marketData, recent_candles: file.candles };
    if (Object.keys(marketData).length === 0) return setRun({ problem: { title: 'Nothing to judge by', detail: 'Choose a file of candles or write indicators.' } });
    const question = JSON.stringify({ pair: form.pair.trim(), timeframe: form.timeframe, current_price: Number(form.price), market_data: marketData });
    if (sent.current.question !== question || sent.current.answered) sent.current = { question, key: newKey() };
    sent.current.busy = true;
    setRun({ since: performance.now() });
    try {
      const { body } = await ask(question, sent.current.key);
      sent.current.answered = true;
      setRun({ result: body });
      refresh();
    } catch (problem) {
      setRun({ problem });
    }
    sent.current.busy = false;
    return undefined;
  };
  const able = health && health.status !== 'unavailable';
  const each = estimate(metrics);
  const free = health?.simulated;
  const cost = free ? 'costs nothing: the providers are simulated' : each != null ? `paid, about ${usd(each)}` : 'paid; what it costs is not known yet';
  const busy = run.since !== undefined;
  return html`<h1 tabindex="-1">Ask</h1>
    <form class="card ask" onSubmit=${(e) => e.preventDefault()}>
      <div class="two"><div><label for="a-pair">Pair</label><input id="a-pair" required maxlength="300" placeholder="BTC/USDT" autocomplete="off" value=${form.pair} onInput=${put('pair')} /></div>
        <div><label for="a-timeframe">Timeframe</label><select id="a-timeframe" onChange=${put('timeframe')}>${timeframes.map((t) => html`<option selected=${t === form.timeframe}>${t}</option>`)}</select></div>
        <div><label for="a-price">Current price</label><input id="a-price" required inputmode="decimal" pattern="[0-9]*[.]?[0-9]+" title="A number above 0 such as 50010.5" autocomplete="off" value=${form.price} onInput=${put('price')} /></div></div>
      <label for="a-file">Candles</label><input id="a-file" type="file" accept=".csv,.json,text/csv,application/json" aria-describedby="a-file-help" onChange=${pick} />
      <p class="small muted" id="a-file-help">CSV with a heading line (time, open, high, low, close, volume) or JSON; the newest 500 are sent.</p>
      ${file?.error && html`<p class="note bad" role="alert">${file.name}: ${file.error}</p>`}
      ${file?.candles && html`<p role="status">${plural(file.candles.length, 'candle')} of ${file.name}${file.all > 500 ? `, the newest of ${file.all}` : ''}.</p>`}
      <label for="a-indicators">Indicators, as JSON <span class="muted">(optional; common ones are computed from the candles)</span></label><textarea id="a-indicators" rows="2" spellcheck="false" placeholder='{"rsi": 65.5}' value=${form.indicators} onInput=${put('indicators')}></textarea>
      <p><button type="button" class="primary" onClick=${send} disabled=${busy || !able || Boolean(file?.error)}>Ask ${health ? plural(health.available_providers, 'model') : 'the models'} (${cost})</button></p>
      ${health && !able && html`<p class="note bad">No decision can be made: ${health.available_providers} of ${health.required_providers} needed providers can be asked.</p>`}
      ${each != null && !free && html`<p class="small muted">${usd(each)} is the mean of today’s ${plural(metrics.successful_requests, 'decision')}; a long question may cost more.</p>`}</form>
    <div role="status" aria-live="polite">${busy && html`<p class="state">The models are being asked … <span aria-hidden="true"><${Elapsed} since=${run.since} /></span></p>`}
      ${run.result && html`<section class="card" aria-labelledby="answer"><h2 id="answer">Answer</h2><${SimulatedHere} of=${run.result.simulated} /><p><${Say} decision=${run.result.decision} big=${true} /></p><p class="prose">${run.result.reasoning}</p>
        <p>It cost ${usd(run.result.total_cost_usd)}. <a href=${linkTo(run.result.id)}>The whole decision</a></p></section>`}</div>
    <${Trouble} problem=${run.problem} />${run.problem?.status === 0 && html`<p>The question may have been answered all the same. Press the button again without changing it: it is then not paid for twice.</p>`}`;
}
