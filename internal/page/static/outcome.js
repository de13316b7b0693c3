// How a decision turned out, or why that is not known.

import { html } from './html.js';
import { gain, price, span, useNow, when } from './format.js';

const unresolved = {
  late: 'it was answered after its first candle had ended, so it can’t be judged', no_market: 'this series is a free text and has no candles',
  gap: 'one of the three candles is missing; it is settled once that comes', price_mismatch: 'its price is more than 10 % from the candles: another market or unit',
  no_candles: 'no candles have been found yet; it is settled once they come',
};

// outcomeFact says it in a sentence: [kind, text].
export function outcomeFact(o) {
  if (!o) return ['', 'Not known for this result.'];
  if (o.status === 'pending') return ['', html`Not known yet: <${Due} at=${o.due} />.`];
  if (o.status === 'unresolved') return ['', html`<strong>Not resolved:</strong> ${unresolved[o.reason] || o.reason}.`];
  const sign = o.right ? '✓' : '✗';
  const acted = o.decision === 'HOLD'
    ? html`the price moved ${gain(o.move)} in three candles${o.raw_decision !== 'HOLD' ? html`; the vote, ${o.raw_decision}, was ${o.raw_right ? 'right' : 'wrong'}` : ''}`
    : html`the price moved <strong>${gain(o.move)}</strong> in three candles; after costs <strong>${gain(o.net_return)}</strong>`;
  return [o.right ? 'good' : 'bad', html`<strong>${sign} ${o.right ? 'Right' : 'Wrong'}:</strong> ${acted}.`];
}

function Due({ at }) {
  const left = (new Date(at) - useNow()) / 1000;
  return left > 0 ? html`due in ${span(left)}, at ${when(at)}` : html`it was due at ${when(at)} and waits for the candles`;
}

// Outcome has the figures of a settled one; of others the facts at the top say all there is.
export function Outcome({ outcome: o }) {
  if (o?.status !== 'settled') return null;
  const rows = [['Entry', price(o.entry_price)], ['Exit, close of the third candle', price(o.exit_price)], ['Price moved', gain(o.move, 3)], ['Costs of a round trip', gain(-o.cost, 3)],
    [o.decision === 'HOLD' ? 'Net return of HOLD' : `Net return of the ${o.decision}`, gain(o.net_return, 3)]];
  return html`<section class="card" aria-labelledby="outcome"><h2 id="outcome">Outcome <span class=${`tag ${o.right ? 'good' : 'bad'}`}>${o.right ? '✓ right' : '✗ wrong'}</span></h2>
    <dl class="rows-dl">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${o.raw_decision !== o.decision && html`<p class="small">The vote before its gates, ${o.raw_decision}, was ${o.raw_right ? 'right' : 'wrong'}.</p>`}
    <p class="small muted">${when(o.from)} to ${when(o.to)}; candles of ${o.source}${o.imported ? '; imported: that the votes are older than the candles can’t be proved' : ''}.</p></section>`;
}
