// The reliability diagram: how often votes were right by how sure they said they were, with intervals, one small chart a voter. A voter with
// too few effective windows is in the table alone.

import { html } from './html.js';
import { count, percent } from './format.js';
import { Values } from './parts.js';

const size = 150;
const x = (v) => 22 + v * size;
const y = (v) => 6 + (1 - v) * size;

function Diagram({ voter: v }) {
  return html`<figure class="reliability"><figcaption><strong>${v.voter}</strong> <span class="small muted">${v.model}</span></figcaption>
    <svg viewBox="0 0 186 176" width="186" height="176" aria-hidden="true"><rect x=${x(0)} y=${y(1)} width=${size} height=${size} class="frame-line" /><line x1=${x(0)} y1=${y(0)} x2=${x(1)} y2=${y(1)} class="diagonal" />
      <line x1=${x(0)} y1=${y(0.5)} x2=${x(1)} y2=${y(0.5)} class="half" />
      ${[0, 0.5, 1].map((t) => html`<text x="18" y=${y(t) + 4} text-anchor="end">${t * 100}</text><text x=${x(t)} y="172" text-anchor="middle">${t * 100}</text>`)}
      ${v.reliability.map((g) => html`<line x1=${x(g.stated_mean)} x2=${x(g.stated_mean)} y1=${y(g.low)} y2=${y(g.high)} class="whisker" /><circle cx=${x(g.stated_mean)} cy=${y(g.hit_rate)} r="3.5" class="dot-mark" />`)}</svg></figure>`;
}

export function Reliability({ voters, timeframe, least }) {
  const known = voters.filter((v) => v.reliability?.length > 0);
  if (known.length === 0) return null;
  const drawn = known.filter((v) => v.n_eff >= least);
  return html`${drawn.length > 0 && html`<h3>Stated confidence against what came true</h3><p class="small muted">Across: the confidence that was stated, in per cent. Up: how many of these votes were right. On the diagonal both agree; below it the model is too sure of itself.</p>
    <div class="diagrams">${drawn.map((v) => html`<${Diagram} key=${v.voter + v.model} voter=${v} />`)}</div>`}
    <${Values} caption=${`Reliability of ${timeframe}`} columns=${['Voter', 'Votes', 'Stated', 'Right', 'Low', 'High']}
      rows=${known.flatMap((v) => v.reliability.map((g) => [`${v.voter} ${v.model ?? ''}`, count(g.n), percent(g.stated_mean), percent(g.hit_rate), percent(g.low), percent(g.high)]))} />`;
}
