// Scores: how good the decisions and each model were, the worst first. What is too little to tell says so in words.

import { html, useState } from './html.js';
import { query, useGet } from './api.js';
import { count, dayAfter, gain, percent, plural, timeframes, usd, utcDay } from './format.js';
import { Empty, SimulatedHere, Values, View, words } from './parts.js';
import { Reliability } from './reliability.js';

const rank = ['worse_than_chance', 'not_distinguishable', 'better_than_chance', 'beats_costs', 'too_few'];
const drawable = 10; // effective windows below which an interval says nothing

function verdict(v) {
  switch (v.verdict) {
    case 'too_few': return ['', v.n_eff == null || v.n_eff < 100 ? `Too little to tell: ${Math.floor(v.n_eff ?? 0)} of 100 effective windows` : 'Too little to tell: fewer than 10 independent blocks of time'];
    case 'worse_than_chance': return ['bad', 'Worse than chance'];
    case 'better_than_chance': return ['good', 'Better than chance; not shown to pay its costs'];
    case 'beats_costs': return ['good', 'Beats its costs'];
    default: return ['', 'Can’t be told from chance'];
  }
}
const nameOf = (v) => (v.voter === 'consensus' ? 'consensus' : `${v.voter} ${v.model ?? ''}`);

// worstFirst puts the consensus, which is what is acted on, before the models; these by verdict and net return, and those of which too little
// is known at the end.
function worstFirst(voters) {
  const models = voters.filter((v) => v.voter !== 'consensus');
  models.sort((a, b) => rank.indexOf(a.verdict) - rank.indexOf(b.verdict) || (a.net_return?.mean ?? 0) - (b.net_return?.mean ?? 0) || (a.hit_rate ?? 1) - (b.hit_rate ?? 1));
  return [...voters.filter((v) => v.voter === 'consensus'), ...models];
}

// scale maps values to per cent of the width, with some room on both sides.
function scale(values) {
  const known = values.filter((v) => v != null);
  let [low, high] = [Math.min(...known), Math.max(...known)];
  const room = (high - low || 1) * 0.06;
  [low, high] = [low - room, high + room];
  return (v) => `${Math.min(100, Math.max(0, ((v - low) / (high - low)) * 100))}%`;
}

function Interval({ at, value, low, high, lines }) {
  return html`<span class="interval" aria-hidden="true">${lines.filter(([v]) => v != null).map(([v, kind]) => html`<s class=${kind} style=${{ left: at(v) }}></s>`)}
    ${low != null && html`<i style=${{ left: at(low), right: `calc(100% - ${at(high)})` }}></i>`}${value != null && html`<b style=${{ left: at(value) }}></b>`}</span>`;
}

function value(v) {
  if (!v.value) return html`<span class="muted">–</span>`;
  const { verdict: said, results, changed, mean, low, high, break_even_notional_usd: notional } = v.value;
  const text = { too_few: `Too little to tell: ${count(results)} of 100 results, or fewer than 10 blocks`, helps: 'Helps', hurts: 'Hurts', not_distinguishable: 'No difference can be told' }[said] || words(said);
  return html`<span class=${said === 'helps' ? 'good' : said === 'hurts' ? 'bad' : ''}>${text}</span><div class="small">${mean == null ? '' : html`${gain(mean, 3)}${low == null ? '' : ` (${gain(low, 3)} to ${gain(high, 3)})`}; `}changed ${count(changed)} of ${count(results)}${said === 'helps' && notional ? `; pays from ${usd(notional)} a trade` : ''}</div>`;
}

function Board({ board: b }) {
  const all = worstFirst(b.voters);
  const told = all.filter((v) => v.voter === 'consensus' || v.n_eff >= drawable);
  const voters = told.length > 1 ? told : all;
  const even = b.break_even_hit_rate;
  const reachable = even != null && even <= 1;
  const hits = scale([0.4, 0.6, reachable ? even : null, ...voters.flatMap((v) => (v.n_eff < drawable ? [] : [v.low, v.high, v.hit_rate]))]);
  const returns = scale([0, b.always_buy, ...voters.flatMap((v) => [v.net_return?.low, v.net_return?.high, v.net_return?.mean])]);
  const open = Object.entries(b.unresolved || {}).map(([reason, n]) => `${words(reason)} (${count(n)})`);
  const id = `board-${b.timeframe}`;
  const waiting = html`${count(b.pending)} pending${open.length ? `; unresolved: ${open.join(', ')}` : ''}.`;
  if (b.settled === 0) return html`<section class="board" aria-labelledby=${id}><h2 id=${id}>${b.timeframe}</h2><p>Nothing is settled here yet: ${waiting}</p></section>`;
  return html`<section class="board" aria-labelledby=${id}><h2 id=${id}>${b.timeframe}</h2>
    <p>${plural(b.settled, 'settled decision')} in ${plural(b.blocks, 'independent block')} of time${b.imported ? `, ${count(b.imported)} of them imported` : ''}; ${waiting}
      ${even == null ? '' : reachable ? html` To pay for round trips of ${percent(b.cost)}, <strong>${percent(even)}</strong> must be right.` : html` <strong>Costs of ${percent(b.cost)} a round trip can’t be earned back here:</strong> the mean move is only ${percent(b.mean_abs_move, 2)}.`}
      ${b.always_buy != null && html` Buying every time returned ${gain(b.always_buy)} each.`}</p>
    <table class="rows scores"><caption class="hidden">Scores of ${b.timeframe}, the worst model first</caption><thead><tr><th scope="col">Voter</th><th scope="col">Verdict</th><th scope="col">Hit rate, 95 %</th><th scope="col">Net return of a decision, 95 %</th><th scope="col">Its value to the consensus</th><th scope="col" class="n">Cost each</th></tr></thead>
    <tbody>${voters.map((v) => {
      const [kind, text] = verdict(v);
      const r = v.net_return || {};
      return html`<tr key=${nameOf(v)} class=${v.voter === 'consensus' ? 'first' : ''}><th scope="row">${v.voter}<div class="small muted">${v.model}</div></th>
        <td data-label="Verdict"><span class=${kind}>${text}</span></td>
        <td data-label="Hit rate, 95 %">${v.hit_rate == null ? html`<span class="muted">no BUY or SELL was settled</span>` : html`${v.n_eff >= drawable && html`<${Interval} at=${hits} value=${v.hit_rate} low=${v.low} high=${v.high} lines=${[[v.chance, 'chance'], [reachable ? even : null, 'even']]} />`}
          <div class="small"><strong>${percent(v.hit_rate)}</strong> (${percent(v.low, 0)} to ${percent(v.high, 0)}); ${count(v.hits)} of ${count(v.directional)}, ${Math.floor(v.n_eff)} effective; chance ${percent(v.chance)}</div>`}</td>
        <td data-label="Net return, 95 %">${r.mean == null ? html`<span class="muted">fewer than 10 blocks of time</span>` : html`<${Interval} at=${returns} value=${r.mean} low=${r.low} high=${r.high} lines=${[[0, 'zero'], [b.always_buy, 'even']]} /><div class="small"><strong>${gain(r.mean)}</strong>${r.low == null ? ', no interval below 10 blocks' : ` (${gain(r.low)} to ${gain(r.high)})`}</div>`}</td>
        <td data-label="Value">${value(v)}</td><td data-label="Cost each" class="n">${v.cost_usd_mean == null ? html`<span class="muted">unknown</span>` : usd(v.cost_usd_mean)}</td></tr>`;
    })}</tbody></table>
    ${voters.length < all.length && html`<p class="small">${plural(all.length - voters.length, 'voter')} with fewer than ${drawable} effective windows ${all.length - voters.length === 1 ? 'is' : 'are'} in the tables alone.</p>`}
    <p class="legend small"><span><s class="chance"></s> chance: a blind voter of the same leaning</span><span><s class="even"></s> break-even, and for returns buying every time</span><span><s class="zero"></s> no return</span></p>
    <${Reliability} voters=${all} least=${drawable} timeframe=${b.timeframe} />
    <${Values} caption=${`Scores of ${b.timeframe}`} columns=${['Voter', 'Votes', 'BUY', 'HOLD', 'HOLD right', 'Hits', 'Hit rate', 'Low', 'High', 'Effective', 'Chance', 'Net return', 'Low', 'High', 'Stated confidence', 'Brier, stated', 'Brier, published', 'Left out: early']}
      rows=${all.map((v) => [nameOf(v), count(v.directional), count(v.buys), count(v.holds), count(v.hold_hits), count(v.hits), percent(v.hit_rate), percent(v.low), percent(v.high), v.n_eff?.toFixed(1) ?? '–', percent(v.chance), gain(v.net_return?.mean, 3), gain(v.net_return?.low, 3), gain(v.net_return?.high, 3), v.stated_confidence_mean?.toFixed(2) ?? '–', v.brier_stated?.toFixed(3) ?? '–', v.brier_published == null ? '–' : `${v.brier_published.toFixed(3)} of ${count(v.published)}`, count(v.early)])} /></section>`;
}

export function Scores({ parameters, go }) {
  const asked = Object.fromEntries(['timeframe', 'pair', 'from', 'to', 'prompt_version'].map((name) => [name, parameters.get(name) || '']));
  const [form, set] = useState(asked);
  const state = useGet(query('v1/scoreboard', asked), 60000);
  const body = state.body;
  const field = (name) => ({ id: `s-${name}`, value: form[name], onChange: (e) => set({ ...form, [name]: e.target.value }) });
  return html`<h1 tabindex="-1">Scores</h1>
    <form class="filter" onSubmit=${(e) => (e.preventDefault(), go(query('#/scores', form)))}>
      <div><label for="s-timeframe">Timeframe</label><select ...${field('timeframe')}><option value="">all</option>${timeframes.map((t) => html`<option selected=${t === form.timeframe}>${t}</option>`)}</select></div>
      <div><label for="s-pair">Series</label><input ...${field('pair')} placeholder="all" size="12" /></div>
      <div><label for="s-from">From (UTC day)</label><input type="date" ...${field('from')} /></div>
      <div><label for="s-to">Before</label><input type="date" ...${field('to')} max=${dayAfter(utcDay(Date.now()))} /></div>
      <div><label for="s-prompt_version">Prompt version</label><input ...${field('prompt_version')} placeholder="current" size="10" /></div><button>Show</button></form>
    <${View} state=${state} what="the scores">${body && html`<${SimulatedHere} of=${body.simulated} />
      <p class="small muted">${body.from} to before ${body.to}, prompt ${body.prompt_version}. A decision is right if the price went its way within three candles; costs count in returns. Verdicts are given at three standard errors.</p>
      ${body.boards.length === 0 ? html`<${Empty} title="No outcomes yet">A decision is settled three candles after it was made, by <code>thalas watch</code>, <code>thalas settle</code> or <code>SETTLE_VENUES</code>. Until then nobody knows how good it was.<//>` : body.boards.toSorted((a, b) => b.settled - a.settled).map((b) => html`<${Board} key=${b.timeframe} board=${b} />`)}`}<//>`;
}
