// Decision: who said what, who mattered, how close the gates were, and how it turned out; first in four short facts, then whole.

import { html, useState } from './html.js';
import { hasKey, query, useGet } from './api.js';
import { gain, plural, price, share, useZone, usd, when } from './format.js';
import { nameOf, resultOf, useLive } from './live.js';
import { Age, Bar, Chance, Left, linkTo, Marks, Name, Say, sentence, SimulatedHere, View, holdReason, words } from './parts.js';
import { Chart } from './chart.js';
import { Failures, Votes } from './votes.js';
import { Outcome, outcomeFact } from './outcome.js';
import { WhatIf } from './whatif.js';

// gates are the limits that a BUY or SELL has to reach, with how far it is from each.
export function gates(result) {
  const policy = result.policy;
  if (!policy) return [];
  return [
    { name: 'Confidence', value: result.confidence, limit: policy.min_confidence },
    { name: 'Agreement', value: result.agreement_score, limit: policy.min_agreement },
  ].map((g) => ({ ...g, off: g.limit === 0, passed: g.value >= g.limit, by: Math.abs(g.value - g.limit) }));
}

function gateFact(result) {
  if (!result.policy) return ['', 'Its gates are not kept with this result.'];
  if (result.raw_decision === 'HOLD') return ['', `The vote itself is HOLD: ${holdReason(result.hold_reason)}. Gates are for BUY and SELL.`];
  const on = gates(result).filter((g) => !g.off);
  const failed = on.find((g) => !g.passed);
  if (failed) return ['bad', html`<strong>Held.</strong> ${failed.name} ${share(failed.value, failed.limit)} is <strong>${share(failed.by)} below</strong> its gate of ${share(failed.limit)}; the vote was ${result.raw_decision}.`];
  if (on.length === 0) return ['', 'No gate is set.'];
  const closest = on.reduce((a, b) => (b.by < a.by ? b : a));
  return ['', html`<strong>Passed.</strong> The closest: ${closest.name.toLowerCase()} ${share(closest.value, closest.limit)}, <strong>${share(closest.by)} above</strong> its gate of ${share(closest.limit)}.`];
}

function whoMattered(result) {
  const { contributions, stability, dissent } = result.explanation;
  if (contributions.length === 1) return html`<strong>One vote alone.</strong> Nobody checked it.`;
  const pivotal = contributions.filter((c) => c.pivotal);
  const against = dissent ? html` Against: ${dissent.provider} with ${dissent.decision} ${share(dissent.confidence)}.` : ' Nobody was against.';
  if (pivotal.length === 0) return html`<strong>Nobody alone.</strong> Without any one vote it stays ${result.decision}.${against}`;
  if (pivotal.length > 3) return html`<strong>${pivotal.length} of ${contributions.length} votes</strong> could each have turned it; stability ${share(stability)}.${against}`;
  return html`${pivotal.map((c, i) => html`${i > 0 ? '; without ' : 'Without '}<strong>${c.provider}</strong>: ${c.decision_without ?? 'none'}`)}.${against}`;
}

function Tally({ result }) {
  const { vote_breakdown: heads } = result;
  const parts = ['BUY', 'SELL', 'HOLD'].filter((d) => heads[d] > 0).map((d) => `${heads[d]} ${d}`);
  const failed = result.failures.filter((f) => f.error !== 'not_needed').length;
  return html`<${Marks} result=${result} /> ${parts.join(', ')}${failed > 0 ? html`, <span class="bad">${failed} failed</span>` : ''}${result.decided_early ? ', decided early' : ''}.`;
}

function Facts({ result, outcome }) {
  const [gateKind, gate] = gateFact(result);
  const [outcomeKind, turned] = outcomeFact(outcome);
  return html`<dl class="facts"><div><dt>Who said what</dt><dd><${Tally} result=${result} /> <span class="nobreak">Confidence ${share(result.confidence, result.policy?.min_confidence)},</span> <span class="nobreak">agreement ${share(result.agreement_score, result.policy?.min_agreement)}.</span></dd></div>
    <div><dt>Who mattered</dt><dd>${whoMattered(result)}</dd></div>
    <div class=${gateKind}><dt>Gates</dt><dd>${gate}</dd></div>
    <div class=${outcomeKind}><dt>How it turned out</dt><dd>${turned}</dd></div></dl>`;
}

function Gates({ result }) {
  const raw = result.raw_decision !== 'HOLD';
  return html`<section class="card" aria-labelledby="gates"><h2 id="gates">Gates</h2>
    ${!result.policy && html`<p>Not kept with this result.</p>`}
    ${gates(result).map((g) => html`<div class="gate"><div><span>${g.name}</span> <strong>${share(g.value, g.limit)}</strong> <span class=${raw && !g.off && !g.passed ? 'bad' : 'muted'}>${g.off ? 'no gate' : !raw ? `gate ${share(g.limit)}, not used for HOLD` : g.passed ? `passed ${share(g.limit)} by ${share(g.by)}` : `missed ${share(g.limit)} by ${share(g.by)}`}</span></div>
      <span class=${`bar ${raw && !g.off && !g.passed ? 'failed' : ''}`} aria-hidden="true"><i style=${{ width: `${Math.min(1, g.value) * 100}%` }}></i>${!g.off && html`<b style=${{ left: `${g.limit * 100}%` }}></b>`}</span></div>`)}
    ${result.policy && html`<p class="small">Quorum: ${plural(result.participating_providers, 'vote')}, at least ${result.policy.min_providers} needed.</p>`}
    ${result.confidence_range && html`<p class="small">Decided early: with the missing votes, confidence could have been ${share(result.confidence_range[0])} to ${share(result.confidence_range[1])}.</p>`}
    <h3>Weighted votes</h3>
    ${['BUY', 'SELL', 'HOLD'].map((d) => html`<div class="weighted"><${Say} decision=${d} /><${Bar} of=${result.weighted_votes[d] / Math.max(1e-9, ...Object.values(result.weighted_votes))} kind=${d === result.raw_decision ? '' : 'soft'} /><span class="n">${share(result.weighted_votes[d])}</span></div>`)}
    <p class="small muted">Sums of weight × confidence. The lead is ${share(result.explanation.margin)}.</p></section>`;
}

function Document({ result }) {
  const [open, set] = useState(false);
  const [copied, tell] = useState('');
  const address = new URL(`v1/consensus/${result.id}`, location.href.split('#')[0]).href;
  const curl = `curl ${hasKey() ? '--header "x-api-key: $THALAS_API_KEY" ' : ''}'${address}'`;
  const copy = (text, what) => navigator.clipboard.writeText(text).then(() => tell(`${what} copied`), () => tell('The browser does not allow copying'));
  return html`<section class="card" aria-labelledby="document"><h2 id="document">Document</h2>
    <pre class="curl" tabindex="0">${curl}</pre>
    <p><button onClick=${() => copy(curl, 'The line is')}>Copy the line</button> <button onClick=${() => copy(JSON.stringify(result, null, 2), 'The document is')}>Copy the JSON</button> <span role="status">${copied}</span></p>
    <details onToggle=${(e) => set(e.target.open)}><summary>The JSON</summary>${open && html`<pre tabindex="0">${JSON.stringify(result, null, 2)}</pre>`}</details></section>`;
}

function Head({ result }) {
  const live = useLive();
  const newer = [...live.results.values()].find((r) => nameOf(r) === nameOf(result) && r.id !== result.id && r.candle_time >= result.candle_time && r.timestamp > result.timestamp);
  const levels = result.decision !== 'HOLD';
  return html`<header class="head"><div class="title"><${Say} decision=${result.decision} big=${true} /><h1 tabindex="-1" class=${result.pair.length > 30 ? 'long' : ''}><${Name} text=${result.pair} limit=${400} /> <span class="frame">${result.timeframe}</span></h1>${result.status === 'degraded' ? html`<span class="tag warn">degraded</span>` : ''}</div>
      <p class="small">Candle of ${when(result.candle_time)}, answered ${when(result.timestamp, { seconds: true })} (<${Age} at=${result.timestamp} />). <${Left} until=${result.valid_until} />${result.cache !== 'miss' ? html` <span class="tag">${words(result.cache)}, votes of ${when(result.votes_at)}</span>` : ''}</p>
      ${newer && html`<p class="note warn">There is a newer decision of this series: <a href=${linkTo(newer.id)}>${newer.decision} of ${when(newer.timestamp)}</a>.</p>`}
    <dl class="levels"><div><dt>Price</dt><dd>${price(result.current_price)}</dd></div>
      <div><dt>Stop</dt><dd>${levels ? price(result.suggested_stop_loss) : '–'}${levels && result.suggested_stop_loss != null ? html` <span class="small muted">${gain(result.suggested_stop_loss / result.current_price - 1)}</span>` : ''}</dd></div>
      <div><dt>Target</dt><dd>${levels ? price(result.suggested_take_profit) : '–'}${levels && result.suggested_take_profit != null ? html` <span class="small muted">${gain(result.suggested_take_profit / result.current_price - 1)}</span>` : ''}</dd></div>
      <div><dt>Risk, highest of all</dt><dd>${result.risk_level}</dd></div>
      <div><dt>${result.raw_decision === result.decision ? 'Right' : `${result.raw_decision} right`} in 3 candles</dt><dd><${Chance} probability=${result.probability} /></dd></div>
      <div><dt>Cost</dt><dd>${usd(result.total_cost_usd)}</dd></div></dl></header>`;
}

// Which indicators were computed is said of nearly every result, so it stands with the data and is no alarm.
const isComputed = (w) => w.code === 'indicators_computed';

export function Decision({ id }) {
  useZone();
  const state = useGet(query(`v1/consensus/${encodeURIComponent(id)}`, { include: 'market_data' }), 30000, (r) => r.outcome?.status === 'settled');
  const result = state.body;
  const outcome = result?.outcome;
  const warnings = result?.warnings.filter((w) => !isComputed(w));
  if (!result) return html`<h1 tabindex="-1" class="hidden">Decision</h1><${View} state=${state} what="the decision" />`;
  return html`<${View} state=${state} what="the decision">
    <${SimulatedHere} of=${result.simulated} />
    <${Head} result=${result} />
    <${Facts} result=${result} outcome=${outcome} />
    ${warnings.length > 0 && html`<section class="note warn" aria-labelledby="warnings"><h2 id="warnings">Warnings</h2><ul>${warnings.map((w) => html`<li><strong>${w.provider ? `${w.provider}, ` : ''}${words(w.code)}:</strong> ${w.message}</li>`)}</ul></section>`}
    <div class="columns"><div>
      <section class="card" aria-labelledby="candles"><h2 id="candles">What the models saw</h2><${Chart} result=${result} outcome=${outcome} /><${Indicators} data=${result.market_data} notes=${result.warnings.filter(isComputed)} /></section>
      <${Votes} result=${result} outcome=${outcome} />
      <${Failures} result=${result} />
    </div><div>
      <${Outcome} outcome=${outcome} result=${result} />
      <${Gates} result=${result} />
      <${WhatIf} result=${result} />
      <${Document} result=${result} />
      <p><a href=${query('#/history', { pair: result.pair, timeframe: result.timeframe })}>All decisions of this series</a></p>
    </div></div><//>`;
}

// Indicators are the other numbers that the models saw, computed ones too; of a list the newest value is shown.
function Indicators({ data, notes }) {
  const entries = Object.entries(data || {}).filter(([name]) => name !== 'recent_candles');
  const told = notes.map((w) => html`<p class="small muted">${sentence(w.message)}</p>`);
  if (entries.length === 0) return told;
  const text = (v) => (v === null ? 'unknown' : Array.isArray(v) ? (v.length === 0 ? 'empty' : `${v.at(-1) ?? 'unknown'} (newest of ${v.length})`) : typeof v === 'number' ? price(v) : String(v));
  return html`<details class="values"><summary>${plural(entries.length, 'other value')} that the models saw</summary><dl class="indicators">${entries.map(([name, v]) => html`<div><dt>${name}</dt><dd>${text(v)}</dd></div>`)}</dl>${told}</details>`;
}
