// How everything is rendered: Preact's elements, written as htm templates. What comes from models, callers and venues is always a
// child or an attribute of a template, so it is text and never HTML.

import { h, render, Fragment } from './preact.js';
import htm from './htm.js';

export { render, Fragment };
export * from './hooks.js';
export const html = htm.bind(h);
