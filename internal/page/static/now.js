// Now: a row for each series that is watched or was asked about in the last day, and above it what needs somebody.

import { html } from './html.js';
import { nameOf, refresh, resultOf, useLive } from './live.js';
import { plural, price, share, usd, useNow, when } from './format.js';
import { Age, Bar, Chance, Empty, Left, linkTo, Loading, Marks, Name, Say, SimulatedHere, Trouble, holdReason, voteCount, words } from './parts.js';

const leftOut = {
  failing: 'its calls keep failing', key_refused: 'it refuses its API key, so set a valid one', access_denied: 'it does not serve this account, so ask it for access or choose another model',
  no_credit: 'its account has no credit, so add some', asked_to_wait: 'it asked us to wait',
};

// todo lists what needs somebody, the worst first: [kind, what, what to do].
function todo({ health, healthProblem, problem, series }) {
  const list = [];
  if (healthProblem && !problem) list.push(['bad', 'The health of the server can’t be read', healthProblem.title]);
  if (health) {
    if (health.status === 'unavailable') list.push(['bad', 'No decision can be made', `${plural(health.available_providers, 'provider')} can be asked and ${health.required_providers} are needed, so enable more and give them keys`]);
    if (health.store !== 'ok') list.push(['bad', 'The store can’t be used', 'results are kept in memory until it works again, so check its disk or connection before the server ends']);
    for (const p of health.providers) {
      if (p.left_out) list.push(['warn', `${p.name} is left out`, `${leftOut[p.left_out.reason] || words(p.left_out.reason)}; it is tried again at ${when(p.left_out.until)}`]);
      else if (p.enabled && p.configured && health.provider_health[p.name] === false) list.push(['warn', `The last call of ${p.name} failed`, p.last_error ? `${words(p.last_error.error)}, ${when(p.last_error.at)}` : '']);
      else if (p.enabled && !p.configured) list.push(['warn', `${p.name} is enabled and has no key`, p.reason || 'set its key, or disable it']);
    }
    const b = health.budget;
    if (b && b.spent_usd == null) list.push(['bad', 'What was spent today can’t be read', 'questions are refused until it can']);
    else if (b && b.spent_usd + b.reserved_usd >= b.limit_usd) list.push(['bad', 'Today’s budget is used up', 'questions are refused until midnight UTC, or until the limit is raised']);
    else if (b && b.spent_usd + b.reserved_usd >= 0.8 * b.limit_usd) list.push(['warn', `${Math.round(((b.spent_usd + b.reserved_usd) / b.limit_usd) * 100)} % of today’s budget is spent or reserved`, '']);
  }
  for (const s of series || []) {
    if (s.last_error) list.push(['warn', html`The last round of <${Name} text=${s.pair} limit=${40} /> ${s.timeframe} failed`, typeof s.last_error === 'string' ? s.last_error : [s.last_error.message || words(s.last_error.error), s.last_error.at && when(s.last_error.at)].filter(Boolean).join(', ')]);
  }
  return list.sort((a, b) => (a[0] === b[0] ? 0 : a[0] === 'bad' ? -1 : 1));
}

function Providers({ health }) {
  return html`<ul class="providers" aria-label="Providers">${health.providers.filter((p) => p.enabled).map((p) => {
    const well = health.provider_health[p.name];
    const state = p.left_out ? words(p.left_out.reason) : !p.configured ? 'no key' : well ? 'answers' : 'failed';
    return html`<li class=${well ? 'good' : 'bad'} title=${p.model}><span class="dot" aria-hidden="true"></span><strong>${p.name}</strong> <span class="small">${state}${p.latency_p50_ms == null ? '' : `, ${(p.latency_p50_ms / 1000).toFixed(1)} s`}</span></li>`;
  })}</ul>`;
}

function Budget({ budget: b }) {
  if (!b) return html`<p class="small muted">No daily budget is set, or it is not shown without a key.</p>`;
  if (b.spent_usd == null) return html`<p>Budget unknown of ${usd(b.limit_usd)} today</p>`;
  return html`<div class="budget"><span>Today <strong>${usd(b.spent_usd)}</strong> of ${usd(b.limit_usd)}${b.reserved_usd > 0 ? html`, <span class="small">${usd(b.reserved_usd)} reserved by runs under way</span>` : ''}</span><${Bar} of=${(b.spent_usd + b.reserved_usd) / b.limit_usd} kind=${b.spent_usd + b.reserved_usd >= 0.8 * b.limit_usd ? 'warned' : ''} /></div>`;
}

function Row({ series, result: r, stale }) {
  const name = html`<${Name} text=${series.pair} /> <span class="frame">${series.timeframe}</span>`;
  const about = html`${series.watched ? html`<span class="tag">watched</span>` : ''}${series.simulated ? html`<span class="tag warn">simulated</span>` : ''}`;
  if (!r) return html`<tr><th scope="row"><span class="name">${name}</span> ${about}</th><td colspan="8" class="muted">${series.id ? 'its result is not kept any more' : 'no result yet'}</td></tr>`;
  return html`<tr class=${stale ? 'stale' : ''}>
    <th scope="row"><a class="name" href=${linkTo(r.id)}>${name}</a> ${about}${r.status === 'degraded' ? html`<span class="tag warn">degraded</span>` : ''}</th>
    <td data-label="Decision" class="two"><${Say} decision=${r.decision} />${r.hold_reason && r.hold_reason !== 'voted' ? html`<div class="small">${r.raw_decision !== 'HOLD' ? `voted ${r.raw_decision}; ` : ''}${holdReason(r.hold_reason)}</div>` : ''}</td>
    <td data-label="Time" class="time"><${Left} until=${r.valid_until} /><div class="small muted"><${Age} at=${r.votes_at || r.timestamp} /></div></td>
    <td data-label="Models"><${Marks} result=${r} /><div class="small muted nobreak">${voteCount(r)}</div></td>
    <td data-label="Confidence" class="n">${share(r.confidence, r.policy?.min_confidence)}</td>
    <td data-label="Price" class="n">${price(r.current_price)}</td>
    <td data-label="Right in 3 candles" class="two"><${Chance} probability=${r.probability} /></td>
    <td data-label="Stop / target" class="n">${r.decision === 'HOLD' ? html`<span class="muted">–</span>` : html`${price(r.suggested_stop_loss)}<br />${price(r.suggested_take_profit)}`}</td>
    <td data-label="Cost" class="n less">${usd(r.total_cost_usd)}</td></tr>`;
}

export function Now() {
  const live = useLive();
  const now = useNow(5000);
  const { series, health, problem } = live;
  if (!series) return html`<h1 tabindex="-1" class="hidden">Now</h1>${problem ? html`<${Trouble} problem=${problem} again=${refresh} />` : html`<${Loading} what="the series" />`}`;
  const rows = series.map((s) => {
    const result = resultOf(s);
    return { series: s, result, stale: result ? new Date(result.valid_until) <= now : true };
  }).sort((a, b) => !a.result - !b.result || a.stale - b.stale); // else by name, as they come: a row keeps its place
  const needs = todo(live);
  return html`<h1 tabindex="-1" class="hidden">Now</h1><${Trouble} problem=${problem} again=${refresh} old=${live.at} />
    <${SimulatedHere} of=${series.some((s) => s.simulated)} />
    ${health && html`<section class="strip" aria-label="State"><${Providers} health=${health} /><${Budget} budget=${health.budget} /></section>`}
    ${needs.length > 0 && html`<section class="note warn" aria-labelledby="needs"><h2 id="needs">Needs somebody</h2><ul>${needs.map(([kind, what, remedy]) => html`<li class=${kind}><strong>${what}</strong>${remedy ? html`: ${remedy}` : ''}.</li>`)}</ul></section>`}
    ${rows.length === 0 ? html`<${Empty} title="No decision in the last day">Ask a question by <a href="#/ask">Ask</a>, by <code>POST v1/consensus</code>, or watch series with <code>thalas watch</code>. Older ones are in <a href="#/history">History</a>.<//>`
      : html`<table class="rows now"><caption class="hidden">Newest decision of each series</caption><thead><tr><th scope="col">Series</th><th scope="col">Decision</th><th scope="col">Time</th><th scope="col">Models</th><th scope="col" class="n">Confidence</th><th scope="col" class="n">Price</th><th scope="col">Right in 3 candles</th><th scope="col" class="n">Stop / target</th><th scope="col" class="n">Cost</th></tr></thead>
        <tbody>${rows.map((row) => html`<${Row} key=${nameOf(row.series)} ...${row} />`)}</tbody></table>
        <p class="small muted">Confidence is how strongly the models spoke, not a probability. “Right in 3 candles” is fitted to outcomes and pulled to a coin until there are many.</p>`}`;
}
