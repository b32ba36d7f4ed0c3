// The stage: a sheet to draw on, a hundred tiles, ten answers, and the lines between them. What is
// computed comes from the other files.

const ENTRIES = 8;  // lines for a digit, and as many against it
const ARROWS = {  // rows down, columns to the right
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
};
const element = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const signed = (number) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);
const numbers = (n) => Array.from({ length: n }, (_, i) => i);
const file = (name) => bytes_of(element(name).textContent);
const speeds = {};

function make(parent, tag, properties = {}) {
  return parent.appendChild(Object.assign(document.createElement(tag), properties));
}

function shares(pixels = new Uint8Array(784)) {  // bytes -> 0..1
  return new Float32Array(pixels).map((pixel) => pixel / 255);
}

// (784,) onto a canvas: the larger a number, up to `most`, the stronger its colour; 0 is clear
function paint(canvas, row, over = [0, 0, 0], under = over, most = 1) {
  const context = canvas.getContext("2d"), picture = context.createImageData(28, 28);
  for (let i = 0; i < row.length; i++) {
    const color = row[i] > 0 ? over : under;
    for (let k = 0; k < 3; k++) picture.data[4 * i + k] = color[k];
    picture.data[4 * i + 3] = 255 * Math.abs(row[i]) / most;
  }
  context.putImageData(picture, 0, 0);
}

function paint_signs(canvas, row, most = Math.max(...row.map(Math.abs))) {  // for or against
  paint(canvas, row, [213, 94, 0], [0, 114, 178], most);
}

function column(matrix, j) {
  return Float32Array.from({ length: matrix.rows }, (_, i) => matrix.data[i * matrix.columns + j]);
}

let later;
function speak(text) {  // to who listens, when it has come to rest
  clearTimeout(later);
  later = setTimeout(() => { element("spoken").textContent = text; }, 700);
}

function show_speeds(change) {
  Object.assign(speeds, change);
  const { ready, prepared, answer, film, epoch } = speeds;
  element("speeds").textContent = [
    ready && `Ready after ${ready.toFixed(0)} ms.`,
    answer && `An answer: ${answer.toFixed(1)} ms, after preparing your drawing in `
      + `${prepared.toFixed(1)} ms.`,
    film && `A film of 200 steps: ${film.toFixed(0)} ms.`,
    epoch && `4,000 digits of training: ${(epoch / 1000).toFixed(1)} s.`,
  ].filter(Boolean).join(" ");
}

class Stage {
  constructor(root, net, changed = () => {}) {
    Object.assign(this, { root, net, changed, node: 0, pointed: null, chosen: null });
    root.append(element("stage-parts").content.cloneNode(true));
    const find = (name) => root.querySelector(`.${name}`);
    this.pad = find("pad"), this.seen = find("seen"), this.says = find("says");
    this.lines = find("lines");
    this.ink = this.pad.getContext("2d", { willReadFrequently: true });
    this.tiles = numbers(100).map((j) => this._tile(find("nodes"), j));
    this.bars = numbers(10).map((k) => this._bar(find("answers"), k));
    find("clear").onclick = () => this.clear();
    this.examples = find("another");
    this.examples.disabled = true;  // until there are some
    this._listen();
    new ResizeObserver(() => this.show()).observe(root);
    this.look();
    this.tell(false);
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
      const next = this.tiles[j + 10 * down + right];
      if (!next) return;
      event.preventDefault();
      next.focus();
    };
    return tile;
  }

  _bar(parent, k) {
    const bar = make(parent, "button", { type: "button", className: "bar" });
    bar.innerHTML = `<b>${k}</b><i></i><small></small>`;
    bar.onclick = () => { this.chosen = this.chosen === k ? null : k; this.show(); this.tell(); };
    bar.onpointerenter = () => { this.hovered = k; this.show(); };
    bar.onpointerleave = () => { this.hovered = null; this.show(); };
    return bar;
  }

  // Drawing

  _listen() {
    const { pad } = this;
    let pointer = null, last = null, at = [140, 60], lowered = false;
    const place = (event) => {
      const box = pad.getBoundingClientRect(), scale = 280 / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    pad.onpointerdown = (event) => {
      if (pointer !== null || event.button !== 0) return;
      pointer = event.pointerId;
      pad.setPointerCapture(pointer);
      this.touched();
      last = place(event);
      this.line(last, last);
    };
    pad.onpointermove = (event) => {
      if (event.pointerId !== pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event])
        this.line(last, last = place(each));
    };
    pad.onpointerup = pad.onpointercancel = (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      this.tell();
    };
    const cursor = make(pad.parentElement, "span", { className: "pen" });
    const move = () => {
      cursor.style.left = `${at[0] / 2.8}%`, cursor.style.top = `${at[1] / 2.8}%`;
      cursor.classList.toggle("lowered", lowered);
    };
    pad.onkeydown = (event) => {
      const step = ARROWS[event.key], before = at;
      if (step) at = at.map((number, i) => Math.min(Math.max(number + 10 * step[1 - i], 10), 270));
      else if (event.key === " ") lowered = !lowered;
      else if (event.key === "Delete" || event.key === "Backspace") this.clear();
      else return;
      event.preventDefault();
      move();
      if (event.key === " ") speak(lowered ? "pen down" : "pen up");
      if (!lowered || !(step || event.key === " ")) return;
      this.touched();
      this.line(before, at);
      this.tell();
    };
    pad.onblur = () => { lowered = false; move(); };
    move();
  }

  touched() {  // whoever draws wipes away what was there to begin with
    this.pointed = null;
    if (this.example) this.clear();
  }

  line(from, to) {
    Object.assign(this.ink, { lineCap: "round", lineJoin: "round", lineWidth: 20 });
    this.ink.beginPath();
    this.ink.moveTo(...from);
    this.ink.lineTo(...to);
    this.ink.stroke();
    this.waiting ??= requestAnimationFrame(() => this.look());
  }

  clear() {
    this.example = this.writing = false;
    this.ink.clearRect(0, 0, 280, 280);
    this.look();
    this.tell();
  }

  offer(images) {
    this.examples.onclick = () => this.another(images);
    this.examples.disabled = false;
  }

  another(images) {  // one that somebody wrote
    const small = document.createElement("canvas");
    small.width = small.height = 28;
    paint(small, shares(images.row(Math.floor(Math.random() * images.rows))));
    this.clear();
    this.ink.drawImage(small, 0, 0, 280, 280);
    this.example = true;
    this.look();
    this.tell();
  }

  async write(points) {  // as a hand would, a point after the other
    this.example = this.writing = true;
    for (let i = 1; i < points.length; i++) {
      if (!this.writing) return;  // somebody draws already
      this.line(points[i - 1], points[i]);
      if (!calm) await new Promise((go) => setTimeout(go, 60));
    }
    this.look();
  }

  // Thinking

  look() {  // at the sheet, with the network as it is now
    if (this.waiting) cancelAnimationFrame(this.waiting);
    this.waiting = null;
    const began = performance.now(), { data } = this.ink.getImageData(0, 0, 280, 280);
    const grey = new Grid(280, 280);
    for (let i = 0; i < grey.data.length; i++) grey.data[i] = 255 - data[4 * i + 3];
    this.image = prepare(grey);
    const prepared = performance.now();
    this.activations = this.image && this.net.forward(this.image);
    const answer = performance.now() - prepared;
    if (this.image) show_speeds({ prepared: prepared - began, answer });
    if (this.painted !== this.net.epoch) this.paint_tiles();
    paint(this.seen, shares(this.image?.data));
    this.show();
    this.changed(this);
  }

  paint_tiles() {
    this.painted = this.net.epoch;
    this.tiles.forEach((tile, j) => paint_signs(tile.firstChild, column(this.net.weights[0], j)));
  }

  get digit() {  // the one that is explained
    return this.hovered ?? this.chosen ?? (this.image ? argmax(this.activations[2].row(0)) : null);
  }

  entries(k) {  // [node, what it says to digit k], the loudest for it first
    const { columns, data } = this.net.weights[1], hidden = this.activations[1].data;
    return Array.from(hidden, (h, j) => [j, h * data[j * columns + k]]).sort((a, b) => b[1] - a[1]);
  }

  show() {
    const [, hidden, outputs] = this.activations ?? [];
    this.tiles.forEach((tile, j) => tile.style.setProperty("--lit", hidden?.data[j] ?? 0));
    const first = outputs && argmax(outputs.data);
    this.bars.forEach((bar, k) => {
      bar.style.setProperty("--value", outputs?.data[k] ?? 0);
      bar.classList.toggle("first", k === first);
      bar.setAttribute("aria-pressed", k === this.chosen);
      bar.lastChild.textContent = outputs ? outputs.data[k].toFixed(2) : "";
    });
    if (!outputs) {
      this.lines.replaceChildren();
      this.says.textContent = "Draw a digit, 0 to 9, with mouse, finger or arrow keys.";
      return;
    }
    if (this.pointed !== null) return this._show_node(this.pointed, hidden.data[this.pointed]);
    const entries = this.entries(this.digit), loud = entries.slice(0, ENTRIES);
    const against = entries.slice(-ENTRIES).reverse();
    const most = Math.max(...entries.map(([, number]) => Math.abs(number)));
    this._lines([...against, ...loud].map(([j, number]) => [j, this.digit, number]), most);
    const names = (list, sign) => list.filter(([, number]) => sign * number > 0).slice(0, 4)
      .map(([j]) => j).join(", ") || "nobody";
    const verdict = this.digit === first ? "It says" : "Not", output = outputs.data[this.digit];
    this.says.innerHTML = `${verdict} <b>${this.digit}</b>, with ${output.toFixed(2)}. `
      + `Loudest <span class="for">for</span> it: nodes ${names(loud, 1)}. `
      + `<span class="against">Against</span> it: nodes ${names(against, -1)}.`;
  }

  _show_node(j, lit) {
    const says = this.net.weights[1].row(j), most = Math.max(...says.map(Math.abs));
    this._lines(Array.from(says, (weight, k) => [j, k, weight * lit]), most);
    this.says.innerHTML = `Node <b>${j}</b>: its sum is z = ${signed(this.z(j))}, it answers `
      + `${lit.toFixed(2)}. It speaks <span class="for">for</span> ${argmax(says)} and `
      + `<span class="against">against</span> ${argmax(says.map((weight) => -weight))}.`;
  }

  z(j) {  // the sum into a hidden node
    return this.net.sums(this.activations[0], 0).data[j];
  }

  _lines(list, most) {  // from tiles to bars: [node, digit, what the one says to the other]
    const box = this.root.getBoundingClientRect();
    const [right, left] = [this.tiles[9].getBoundingClientRect().right,
      this.bars[0].getBoundingClientRect().left];
    const aside = right < left;  // the bars are beside the tiles, or else below them
    const heard = list.filter(([, , number]) => Math.abs(number) > 0.02 * most);
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
    const [, hidden, outputs] = this.activations ?? [];
    const said = (word, layer, i) => (layer ? `, ${word} ${layer.data[i].toFixed(2)}` : "");
    this.tiles.forEach((tile, j) => {
      tile.setAttribute("aria-label", `node ${j}${said("answers", hidden, j)}`);
    });
    this.bars.forEach((bar, k) => {
      bar.setAttribute("aria-label", `${k}${said("output", outputs, k)}: who is for, who against`);
    });
    if (aloud) speak(this.says.textContent);
  }
}
