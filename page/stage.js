// The stage: the sheet, a tile for each hidden node, the answers, and the lines between them. The
// page has two, the drawing pad of the notebooks is one. What is computed comes from other files.

const ENTRIES = 8;  // lines for a digit, and as many against it
const MOST_TILES = 400;
const PARTS = `
<div class="parts">
  <div class="sheet"></div>
  <div class="nodes" role="group"></div>
  <div class="answers" role="group" aria-label="The answers"></div>
  <p class="says"></p>
  <svg class="lines" aria-hidden="true"></svg>
  <div class="tip" aria-hidden="true"><canvas class="weights" width="28" height="28"></canvas>
    <span></span></div>
  <p class="spoken" aria-live="polite"></p>
</div>`;
const signed = (number) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);

function paint_signs(canvas, row, most = Math.max(...row.map(Math.abs))) {  // for or against
  paint(canvas, row, [213, 94, 0], [0, 114, 178], most);
}

function column(matrix, j) {
  return Float32Array.from({ length: matrix.rows }, (_, i) => matrix.data[i * matrix.columns + j]);
}

class Stage {
  // changed  called after each look, drew after each stroke
  // maps     of distortions.js: the network looks so many times
  // names    of the answers, where they are no digits
  // refusal  why this network cannot be shown, in words
  constructor(root, net, options = {}) {
    const nothing = () => {};
    const { changed = nothing, drew = nothing, maps = [], names = [], refusal } = options;
    Object.assign(this, { root, changed, drew, maps, names, refusal });
    Object.assign(this, { pointed: null, hovered: null, chosen: null });
    root.innerHTML = PARTS;
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { this.chosen = null; this.show(); }
    });
    const find = (name) => root.querySelector(`.${name}`);
    for (const part of ["says", "lines", "nodes", "answers", "tip", "spoken"])
      this[part] = find(part);
    this.sheet = new Sheet(this, find("sheet"));
    this.use(net);
    this.observer = new ResizeObserver(() => this.show());
    this.observer.observe(root);
  }

  use(net) {  // this network from now on
    const shape = String([net.layers, this.names]);
    Object.assign(this, { net, painted: null });
    if (shape !== this.shape) this._build(shape);
    this.look();
    this.tell(false);
  }

  _build(shape) {
    const count = this.net.layers[1], shown = Math.min(count, MOST_TILES);
    Object.assign(this, { shape, node: 0, pointed: null, chosen: null });
    this.columns = Math.ceil(Math.sqrt(shown));
    this.nodes.style.setProperty("--columns", this.columns);
    const names = this.net.layers.length > 2 ? "hidden nodes" : "nodes";
    const first = shown < count ? `, the first ${shown} of them` : "";
    this.nodes.setAttribute("aria-label", `${count} ${names}${first}. Arrow keys go through them.`);
    this.nodes.replaceChildren();
    this.answers.replaceChildren();
    this.tiles = numbers(shown).map((j) => this._tile(this.nodes, j));
    this.bars = numbers(this.net.layers.at(-1)).map((k) => this._bar(this.answers, k));
    const longest = Math.max(...this.bars.map((_, k) => this.name(k).length));
    this.root.style.setProperty("--name", `${Math.min(0.45 + 0.75 * longest, 5.7)}em`);
  }

  name(k) {  // of an answer, fit to stand in HTML
    return escaped(this.names[k] ?? k);
  }

  _tile(parent, j) {
    const tile = make(parent, "button", { type: "button", className: "tile" });
    tile.tabIndex = j ? -1 : 0;  // one stop for all; from there on the arrow keys
    make(tile, "canvas", { width: 28, height: 28 });
    tile.onclick = tile.onfocus = () => { this.pointed = j; this.pick(j); };
    tile.onpointerenter = () => { this.pointed = j; this.show(); };
    tile.onpointerleave = tile.onblur = () => { this.pointed = null; this.show(); };
    tile.onkeydown = (event) => {
      const [down, right] = ARROWS[event.key] ?? [];
      const next = this.tiles[j + this.columns * down + right];
      if (!next) return;
      event.preventDefault();
      next.focus();
    };
    return tile;
  }

  _bar(parent, k) {
    const bar = make(parent, "button", { type: "button", className: "bar" });
    bar.innerHTML = `<b>${this.name(k)}</b><i></i><small></small>`;
    bar.onclick = () => { this.chosen = this.chosen === k ? null : k; this.show(); this.tell(); };
    bar.onpointerenter = () => { this.hovered = k; this.show(); };
    bar.onpointerleave = () => { this.hovered = null; this.show(); };
    return bar;
  }

  soon() {  // look, as often as the screen can show it
    this.waiting ??= requestAnimationFrame(() => this.look());
  }

  look() {  // at the sheet, with the network as it is now
    if (this.waiting) cancelAnimationFrame(this.waiting);
    this.waiting = null;
    Object.assign(this, { image: null, activations: null, why: this.refusal });
    const began = performance.now();
    try {
      this.image = prepare(new Grid(280, 280, new Float32Array(this.sheet.grey)));
    } catch (error) {
      if (!(error instanceof NoDigit)) throw error;
      this.why ??= error.message;
    }
    const prepared = performance.now();
    if (!this.why) {
      this.activations = this.net.forward(this.image);
      if (this.maps.length) this.activations.push(look(this.net, this.image, this.maps));
      this.took = { prepared: prepared - began, answer: performance.now() - prepared };
    }
    if (this.painted !== this.net.epoch) this.paint_tiles();
    this.sheet.show(this.image);
    this.show();
    this.changed(this);
  }

  paint_tiles() {
    this.painted = this.net.epoch;
    this.tiles.forEach((tile, j) => paint_signs(tile.firstChild, column(this.net.weights[0], j)));
  }

  get outputs() {
    return this.activations?.at(-1).data;
  }

  get digit() {  // the one that is explained
    return this.hovered ?? this.chosen ?? (this.outputs ? argmax(this.outputs) : null);
  }

  get speaks() {  // whether each hidden node says something to each answer by itself
    return this.net.weights.length === 2;
  }

  entries(k) {  // [node, what it says to digit k], the loudest for it first
    const { columns, data } = this.net.weights[1], hidden = this.activations[1].data;
    return Array.from(hidden, (h, j) => [j, h * data[j * columns + k]]).sort((a, b) => b[1] - a[1]);
  }

  show() {
    const { outputs } = this, first = outputs && argmax(outputs);
    const lit = this.activations?.[1].data;
    const most = !lit || this.net.hidden === "sigmoid" ? 1 : Math.max(...lit) || 1;
    this.tiles.forEach((tile, j) => tile.style.setProperty("--lit", lit ? lit[j] / most : 0));
    this.bars.forEach((bar, k) => {
      bar.style.setProperty("--value", outputs ? Math.min(outputs[k], 1) : 0);
      bar.classList.toggle("first", k === first);
      bar.setAttribute("aria-pressed", k === this.chosen);
      bar.lastChild.textContent = outputs ? outputs[k].toFixed(2) : "";
    });
    this._show_tip();
    this.lines.replaceChildren();
    if (!outputs) this.says.textContent = this.why;
    else if (this.pointed !== null) this._show_node(this.pointed, lit[this.pointed]);
    else this._show_answer(first);
  }

  _show_answer(first) {
    const { outputs } = this, k = this.digit;
    const looks = this.maps.length ? `, on average of ${this.maps.length} looks` : "";
    const doubt = outputs[first] < 0.5
      ? " It is not sure, but has to name one, whatever you draw." : "";
    const with_output = (j) => `<b>${this.name(j)}</b>, with ${outputs[j].toFixed(2)}`;
    this.says.innerHTML = `It says ${with_output(first)}${looks}.` + doubt
      + (k === first ? "" : ` Why not ${with_output(k)}?`);
    const { length } = this.net.weights;
    if (length > 2) this.says.innerHTML += ` You see the first of its ${length - 1} hidden layers.`;
    if (!this.speaks) return;
    const entries = this.entries(k), loud = entries.slice(0, ENTRIES);
    const against = entries.slice(-ENTRIES).reverse();
    const most = Math.max(...entries.map(([, number]) => Math.abs(number)));
    this._lines([...against, ...loud].map(([j, number]) => [j, k, number]), most);
    const names = (list, sign) => list.filter(([, number]) => sign * number > 0).slice(0, 4)
      .map(([j]) => j).join(", ") || "nobody";
    this.says.innerHTML += ` Loudest <span class="for">for</span> it: nodes ${names(loud, 1)}. `
      + `<span class="against">Against</span> it: nodes ${names(against, -1)}.`;
  }

  _show_node(j, lit) {
    this.says.innerHTML = `Node <b>${j}</b>: its sum is z = ${signed(this.z(j))}, it answers `
      + `${lit.toFixed(2)}.`;
    if (!this.speaks) return;
    const says = this.net.weights[1].row(j), most = Math.max(...says.map(Math.abs));
    this._lines(Array.from(says, (weight, k) => [j, k, weight * lit]), most);
    this.says.innerHTML += ` It speaks <span class="for">for</span> ${this.name(argmax(says))} and `
      + `<span class="against">against</span> ${this.name(argmax(says.map((w) => -w)))}.`;
  }

  _show_tip() {  // the tile that is pointed at, larger, and its sum
    const { tip, pointed } = this;
    tip.classList.toggle("shown", pointed !== null);
    if (pointed === null) return;
    paint_signs(tip.firstChild, column(this.net.weights[0], pointed));
    const lit = this.activations?.[1].data[pointed];
    tip.lastElementChild.textContent = this.activations
      ? `node ${pointed}: sum ${signed(this.z(pointed))} → ${lit.toFixed(2)}` : `node ${pointed}`;
    const [all, box] = [this.root, this.tiles[pointed]].map((part) => part.getBoundingClientRect());
    const left = box.left + box.width / 2 - all.left - tip.offsetWidth / 2;
    const kept = Math.min(Math.max(left, 0), all.width - tip.offsetWidth);
    const above = box.top - all.top - tip.offsetHeight - 6;
    const down = above < 0 ? box.bottom - all.top + 6 : above;  // nothing is cut off at the top
    tip.style.transform = `translate(${kept}px, ${down}px)`;
  }

  z(j) {  // the sum into a node of the first layer
    return this.net.sums(this.activations[0], 0).data[j];
  }

  _lines(list, most) {  // from tiles to bars: [node, digit, what the one says to the other]
    const box = this.root.getBoundingClientRect();
    const [right, left] = [this.tiles[this.columns - 1].getBoundingClientRect().right,
      this.bars[0].getBoundingClientRect().left];
    const aside = right < left;  // the bars are beside the tiles, or else below them
    const heard = list.filter(([j, , number]) => Math.abs(number) > 0.02 * most && this.tiles[j]);
    this.lines.innerHTML = heard.map(([j, k, number]) => {
      const from = this.tiles[j].getBoundingClientRect(), to = this.bars[k].getBoundingClientRect();
      const x = (aside ? from.right : from.left + from.width / 2) - box.left;
      const y = (aside ? from.top + from.height / 2 : from.bottom) - box.top;
      const end_x = to.left - box.left + (aside ? 0 : to.width / 2);
      const end_y = to.top - box.top + (aside ? to.height / 2 : 0);
      const bend = aside ? `${x + (end_x - x) / 2} ${y} ${end_x - 40} ${end_y}`
        : `${x} ${y + (end_y - y) / 2} ${end_x} ${end_y - 40}`;
      return `<path class="${number > 0 ? "for" : "against"}" `
        + `d="M${x} ${y} C${bend} ${end_x} ${end_y}" `
        + `stroke-width="${0.75 + 4 * Math.abs(number) / most}"/>`;
    }).join("");
  }

  pick(j) {
    this.tiles[this.node].tabIndex = -1;
    this.tiles[this.node].removeAttribute("aria-current");
    this.node = j;
    this.tiles[j].tabIndex = 0;
    this.tiles[j].setAttribute("aria-current", "true");
    this.show();
    this.tell(false);
    this.changed(this);
  }

  tell(aloud = true) {  // what is seen, in words
    const said = (word, layer, i) => (layer ? `, ${word} ${layer[i].toFixed(2)}` : "");
    this.tiles.forEach((tile, j) => {
      tile.setAttribute("aria-label", `node ${j}${said("answers", this.activations?.[1].data, j)}`);
    });
    this.bars.forEach((bar, k) => {
      const who = this.speaks ? ": who is for, who against" : "";
      const name = this.names[k] ?? k;
      bar.setAttribute("aria-label", `${name}${said("output", this.outputs, k)}${who}`);
    });
    if (aloud) this.speak(this.says.textContent);
  }

  speak(text) {  // to who listens, when it has come to rest
    clearTimeout(this.later);
    this.later = setTimeout(() => { this.spoken.textContent = text; }, 700);
  }
}
