// Small pieces that several views use: a decision's sign and word, bars, tables of a chart's values, the states of a view.

import { html, useState } from './html.js';
import { percent, share, span, useNow, when } from './format.js';
import { useLive } from './live.js';

const signs = { BUY: '▲', SELL: '▼', HOLD: '■' };

// Say writes a decision: sign and word, not colour alone.
export function Say({ decision, big }) {
  if (!signs[decision]) return html`<span class="muted">none</span>`;
  return html`<span class=${`say ${decision.toLowerCase()} ${big ? 'big' : ''}`}><span aria-hidden="true">${signs[decision]}</span> ${decision}</span>`;
}

// Marks shows one mark a model, by provider.
export function Marks({ result }) {
  const all = [...result.provider_responses.map((v) => ({ who: v.provider, sign: signs[v.decision], kind: v.decision.toLowerCase(), text: `${v.provider}: ${v.decision} ${share(v.confidence)}` })),
    ...result.failures.map((f) => ({ who: f.provider, sign: f.error === 'not_needed' ? '·' : '×', kind: 'failed', text: `${f.provider}: ${words(f.error)}` }))];
  all.sort((a, b) => (a.who < b.who ? -1 : 1));
  return html`<span class="marks" role="img" aria-label=${all.map((m) => m.text).join(', ')}>${all.map((m) => html`<span class=${m.kind} title=${m.text}>${m.sign}</span>`)}</span>`;
}

// words turns a code such as left_out into words.
const named = { provider: 'provider error', gap: 'a candle is missing', no_market: 'free text, no candles', price_mismatch: 'price of another market', late: 'answered late' };
export const words = (code) => named[code] ?? (code || '').replaceAll('_', ' ');

// sentence begins a message with a capital letter and ends it with a full stop.
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');

const held = {
  voted: 'the models voted HOLD', tie: 'the votes are tied', no_conviction: 'no vote has any weight',
  below_min_confidence: 'confidence is below its gate', below_min_agreement: 'agreement is below its gate',
};
export const holdReason = (reason) => held[reason] || words(reason);

// Bar draws a share of the whole; its number is always written beside it.
export function Bar({ of, from = 0, kind = '' }) {
  const clip = (x) => Math.min(1, Math.max(0, x)) * 100;
  return html`<span class=${`bar ${kind}`} aria-hidden="true"><i style=${{ left: `${clip(from)}%`, width: `${clip(of)}%` }}></i></span>`;
}

// Values is the table of a chart's values.
export function Values({ caption, columns, rows, open }) {
  return html`<details class="values" open=${open}><summary>${caption} as a table</summary><div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table><caption class="hidden">${caption}</caption><thead><tr>${columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>`)}</tbody></table></div></details>`;
}

// Long shows a long text cut, with a button for the rest.
export function Long({ text, limit = 420 }) {
  const [whole, set] = useState(false);
  if (!text) return html`<span class="muted">No reasoning was given.</span>`;
  const letters = [...text];
  if (letters.length <= limit + 60) return html`<span class="prose">${text}</span>`;
  return html`<span class="prose">${whole ? text : letters.slice(0, limit).join('') + '…'}</span> <button class="link" aria-expanded=${whole} onClick=${() => set(!whole)}>${whole ? 'Show less' : `Show all ${letters.length.toLocaleString('en-US')} characters`}</button>`;
}

// Name shows a pair, or the free text of a series, cut where it is long; the whole is in its title.
export function Name({ text, limit = 60 }) {
  const letters = [...text];
  return letters.length > limit ? html`<span title=${text}>${letters.slice(0, limit - 1).join('')}…</span>` : text;
}

export const Loading = ({ what }) => html`<p class="state" role="status">Loading ${what} …</p>`;
export const Empty = ({ title, children }) => html`<div class="state"><h2>${title}</h2><p>${children}</p></div>`;

// Trouble shows a problem with what to do; old says that what is still shown is from before.
export function Trouble({ problem, again, old }) {
  if (!problem) return null;
  return html`<div class="note bad" role="alert"><p><strong>${problem.title}.</strong> ${problem.detail}${old ? html` What you see below is from ${when(old, { seconds: true })}.` : ''}</p>
    ${problem.errors && html`<ul>${problem.errors.map((e) => html`<li><code>${e.location}</code> ${e.message}</li>`)}</ul>`}
    ${problem.failures && html`<ul>${problem.failures.map((f) => html`<li><strong>${f.provider}</strong> (${words(f.error)}): ${f.message}</li>`)}</ul>`}
    ${problem.requestId && html`<p class="small">Request ${problem.requestId}</p>`}
    ${again && html`<button onClick=${again}>Try again</button>`}</div>`;
}

// View is what a view shows while it has no document: loading or the error; else its children.
export function View({ state, what, children }) {
  return html`<${Trouble} problem=${state.problem} again=${state.again} old=${state.body && state.at} />${state.loading ? html`<${Loading} what=${what} />` : state.body ? children : null}`;
}

// Left tells how long a result is still valid, or for how long it has not been.
export function Left({ until }) {
  const left = (new Date(until) - useNow()) / 1000;
  return left > 0 ? html`<span>${span(left)} left</span>` : html`<span class="tag warn">stale</span> <span class="small">for ${span(-left)}</span>`;
}
export function Age({ at }) {
  return html`${span((useNow() - new Date(at)) / 1000)} ago`;
}

// Chance tells the published probability beside what a trade has to reach, or why there is none.
export function Chance({ probability: p }) {
  if (!p) return html`<span class="muted">not kept</span>`;
  if (p.value != null) {
    const below = p.break_even != null && p.value < p.break_even;
    return html`<span class="chance"><strong>${percent(p.value)}</strong> <span class="small">(${(p.low * 100).toFixed(0)}–${(p.high * 100).toFixed(0)}), ${p.break_even == null ? 'break-even unknown' : `needs ${percent(p.break_even)}`}</span>${below && html` <span class="tag warn">below break-even</span>`}</span>`;
  }
  if (p.reason === 'too_few') return html`<span class="small">${p.n_eff == null ? 'too few' : Math.floor(p.n_eff)} of ${p.needed} effective windows</span>`;
  if (p.reason === 'hold') return html`<span class="small muted">for BUY and SELL only</span>`;
  return html`<span class="small">scores could not be read</span>`;
}

// Simulated is the banner that can't be missed.
export const Simulated = () => html`<p class="simulated" role="note"><strong>SIMULATED.</strong> No language model was asked: these votes come from the built-in simulator. Nothing here is a signal to trade on.</p>`;

// SimulatedHere shows it for a view whose results are simulated although the server does not simulate; else the shell has shown it.
export function SimulatedHere({ of }) {
  const { health } = useLive();
  return of && !health?.simulated ? html`<${Simulated} />` : null;
}

export const linkTo = (id) => `#/decision/${id}`;
export const voteCount = (r) => `${r.participating_providers} of ${r.total_providers}`;
