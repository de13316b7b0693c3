// Cost: what each provider cost, day by day, how often it failed and how long it took; the budget; what shared answers saved.

import { html, useState } from './html.js';
import { query, useGet } from './api.js';
import { compact, count, dayAfter, millis, plural, usd, utcDay } from './format.js';
import { useLive } from './live.js';
import { Bar, Empty, Values, View, words } from './parts.js';

const periods = [7, 30, 92];

const failuresOf = (p) => Object.entries(p.failures || {}).filter(([, n]) => n > 0).map(([kind, n]) => `${count(n)} ${words(kind)}`);
const costOf = (sums) => sums?.cost_usd ?? sum(sums?.providers || [], (p) => p.cost_usd);
const sum = (list, of) => list.reduce((total, x) => total + (of(x) || 0), 0);

// Days draws one bar a day, against the highest day of all providers.
function Days({ values, most, label }) {
  const width = 100 / values.length;
  return html`<svg class="days" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true"><title>${label}</title>${values.map((v, i) => v > 0 && html`<rect x=${i * width + width * 0.1} width=${width * 0.8} y=${28 - Math.max(0.7, (v / most) * 27)} height=${Math.max(0.7, (v / most) * 27)} />`)}<line x1="0" x2="100" y1="27.8" y2="27.8" /></svg>`;
}

function Budget({ budget: b }) {
  if (!b) return html`<p class="muted">No daily budget is set (<code>DAILY_BUDGET_USD</code>), or it is not shown without a key: nothing but the providers’ own limits stops the spending.</p>`;
  if (b.spent_usd == null) return html`<p class="bad">What was spent today can’t be read; the limit is ${usd(b.limit_usd)}.</p>`;
  const used = b.spent_usd + b.reserved_usd;
  return html`<div class="budget wide"><span>Today <strong>${usd(b.spent_usd)}</strong> of ${usd(b.limit_usd)} spent, ${usd(b.reserved_usd)} reserved, <strong>${usd(Math.max(0, b.limit_usd - used))}</strong> left until midnight UTC</span><${Bar} of=${used / b.limit_usd} kind=${used >= 0.8 * b.limit_usd ? 'warned' : ''} /></div>`;
}

function Table({ body, days, all }) {
  const names = body.providers.map((p) => p.provider);
  const of = (day, name) => day && (day.providers || []).find((p) => p.provider === name);
  const most = Math.max(1e-12, ...days.map((d) => costOf(d.found)));
  const rows = days.toReversed().flatMap(({ day, found }) => (found?.providers || []).map((p) => [day, p.provider, count(p.requests), failuresOf(p).join(', ') || '0', compact(p.input_tokens), compact(p.output_tokens), usd(p.cost_usd), millis(p.latency_ms?.p50), millis(p.latency_ms?.p95)]));
  return html`<table class="rows cost"><caption class="hidden">Cost by provider</caption><thead><tr><th scope="col">Provider</th><th scope="col" class="n">Cost</th><th scope="col">Each of ${days.length} days, the highest ${usd(most)}</th><th scope="col" class="n">Calls</th><th scope="col">Failed</th><th scope="col" class="n">Tokens in / out</th><th scope="col" class="n">Time p50 / p95</th></tr></thead>
    <tbody><tr class="first"><th scope="row">all</th><td data-label="Cost" class="n"><strong>${usd(all.cost)}</strong></td><td data-label="Each day" class="line"><${Days} label="Cost of all each day" values=${days.map((d) => costOf(d.found))} most=${most} /></td><td data-label="Runs" class="n">${plural(body.total_requests, 'run')}</td><td data-label="Failed">${body.failed_requests > 0 ? html`<span class="bad">${plural(body.failed_requests, 'run')} without a decision</span>` : 'every run came to a decision'}</td><td data-label="Tokens" class="n">${compact(body.tokens)}</td><td class="n"></td></tr>
    ${body.providers.toSorted((a, b) => b.cost_usd - a.cost_usd).map((p) => html`<tr key=${p.provider}><th scope="row">${p.provider}</th><td data-label="Cost" class="n">${usd(p.cost_usd)}${p.cost_usd === 0 && p.input_tokens > 0 ? ' known' : ''}</td><td data-label="Each day" class="line"><${Days} label=${`Cost of ${p.provider} each day`} values=${days.map((d) => of(d.found, p.provider)?.cost_usd ?? 0)} most=${most} /></td>
      <td data-label="Calls" class="n">${count(p.requests)}</td><td data-label="Failed">${failuresOf(p).join(', ') || html`<span class="muted">none</span>`}</td><td data-label="Tokens in / out" class="n">${compact(p.input_tokens)} / ${compact(p.output_tokens)}</td><td data-label="Time p50 / p95" class="n">${millis(p.latency_ms?.p50)} / ${millis(p.latency_ms?.p95)}</td></tr>`)}</tbody></table>
    ${names.length > 0 && html`<${Values} caption="Days and providers" columns=${['UTC day', 'Provider', 'Calls', 'Failures', 'Tokens in', 'Tokens out', 'Cost', 'p50', 'p95']} rows=${rows} />`}`;
}

export function Cost({ parameters, go }) {
  const live = useLive();
  const chosen = Number(parameters.get('days'));
  const period = periods.includes(chosen) ? chosen : 30;
  const [today] = useState(() => utcDay(Date.now()));
  const from = dayAfter(today, 1 - period);
  const state = useGet(query('v1/metrics', { window: 'day', by: 'day', from: `${from}T00:00:00Z` }), 60000);
  const body = state.body;
  const found = new Map((body?.days || []).map((d) => [d.day.slice(0, 10), d]));
  const days = Array.from({ length: period }, (_, i) => dayAfter(from, i)).map((day) => ({ day, found: found.get(day) }));
  const shared = body?.shared;
  const runs = body?.successful_requests;
  const cost = body && costOf(body);
  return html`<h1 tabindex="-1">Cost</h1>
    <form class="filter"><fieldset class="choice"><legend>Period</legend>${periods.map((n) => html`<label><input type="radio" name="period" checked=${n === period} onChange=${() => go(`#/cost?days=${n}`, true)} /> ${n} days</label>`)}</fieldset></form>
    ${live.health && html`<${Budget} budget=${live.health.budget} />`}
    <${View} state=${state} what="the counters">${body && (body.total_requests === 0 && body.providers.length === 0 ? html`<${Empty} title="Nothing was asked in this time">Counters are kept as long as <code>METRICS_RETENTION_DAYS</code> says.<//>` : html`
      <p>${runs > 0 ? html`<strong>${usd(cost / runs)}</strong> a decision, over ${plural(runs, 'decision')}. ` : ''}${shared?.hits + shared?.coalesced > 0 ? html`Shared answers saved <strong>${usd(shared.saved_usd)}</strong>: ${plural(shared.hits, 'answer')} from the store, ${plural(shared.coalesced, 'question')} asked together with another.` : ''} <span class="small muted">Costs are those whose usage and price are known.</span></p>
      <${Table} body=${body} days=${days} all=${{ cost }} />`)}<//>`;
}
