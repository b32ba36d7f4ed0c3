// A plane of two inputs: points of two kinds, and a network that learns to part them while you
// look. Orange squares are 1, blue circles 0; so is the shade of a place: the output there.

const RANGE = 1.5;  // the plane goes from -1.5 to 1.5 both ways
const GRID = 64;  // places a side at which the map is computed
const ARROW = 0.55, HALF = 4;  // an arrow's length for endless weights; weights for half of it
const HELP = "Points and lines on a plane. Page up and page down go through them, arrow keys move "
  + "the chosen one, space changes a point's kind, delete takes it away, enter sets a new one.";
const KINDS = ["blue circle", "orange square"];
const BETWEEN = 200;  // milliseconds between two reports to the kernel

const places = new Matrix(GRID * GRID, 2, Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const k = i >> 1, at = i % 2 ? GRID - 1 - Math.floor(k / GRID) : k % GRID;
  return (at / (GRID - 1) * 2 - 1) * RANGE;
}));  // from the upper left, row by row

function built(hidden, bytes, seed = 0) {  // the network; without bytes a new one
  const options = { loss: "cross-entropy", biases: true, seed };
  const net = new NeuralNetwork(hidden ? [2, hidden, 1] : [2, 1], options);
  if (bytes) unpack(net, bytes);
  return net;
}

function unpack(net, view) {  // weights, then biases, one after the other, as float32
  const { buffer, byteOffset, byteLength } = view;
  const flat = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  let at = 0;
  for (const { data } of net.weights.concat(net.biases)) {
    data.set(flat.subarray(at, at + data.length));
    at += data.length;
  }
}

function packed(net) {
  const all = net.weights.concat(net.biases).flatMap(({ data }) => Array.from(data));
  return new DataView(Float32Array.from(all).buffer);
}

// The cross-entropy, and how many are right. From the sums, as outputs may be rounded to 1.
function loss_of(net, x, targets) {
  const last = net.weights.length - 1, z = net.sums(net.forward(x).at(-2), last).data;
  const losses = z.map((sum, i) => (
    Math.max(sum, 0) + Math.log1p(Math.exp(-Math.abs(sum))) - targets.data[i] * sum
  ));
  const right = z.reduce((count, sum, i) => count + (sum > 0 === targets.data[i] > 0.5), 0);
  return [losses.reduce((a, b) => a + b, 0) / z.length, right];
}

const even = (outputs) => Math.max(...outputs) - Math.min(...outputs) < 1e-3;  // the same everywhere

function edge_of(outputs) {  // where the output is one half, unless that is everywhere or nowhere
  if (even(outputs)) return "";
  const at = (number) => ((number / (GRID - 1)) * 2 - 1) * RANGE;
  return contour(outputs, GRID, 0.5, (column, row) => [at(column), at(row)]);
}

class PlaneView {
  constructor(model, root) {
    Object.assign(this, { model, kind: 1, chosen: 0, things: [], anchors: [], steps: 0, seed: 0 });
    const picture = make(root, "div", { className: "picture" });
    const side = make(root, "div", { className: "side" });
    this.probe = make(root, "i", { hidden: true });
    this.layers = [0, 1].map(() => document.createElement("canvas"));
    this.map = make(picture, "canvas", { className: "shades" });
    this.svg = draw(picture, "svg", { viewBox: [-RANGE, -RANGE, 2 * RANGE, 2 * RANGE].join(" "),
      role: "application", "aria-label": HELP });
    for (const name of ["border", "halo", "edge"])
      this[name] = draw(this.svg, "path", { class: name });
    [this.lines, this.dots] = [draw(this.svg, "g"), draw(this.svg, "g")];
    this._controls(root, side);
    this._pointer();
    this.receive();
  }

  _controls(root, side) {
    this.film = new Film(side, () => this.train(this.speed), () => this.send());
    button(this.film.row, "Step", () => { this.film.stop(); this.train(1); this.send(); });
    button(this.film.row, "Again", () => this.begin(this.start));
    button(this.film.row, "New start", () => {
      this.seed += 1;
      this.begin(packed(built(this.hidden, null, this.seed)));
    });
    this.told = make(side, "p", { className: "told" });
    this.curve = new Curve(side, "The loss, step by step");
    const knobs = make(side, "div", { className: "knobs" });
    this.nodes_knob = slider(knobs, "Hidden nodes", [0, 8, 1], (hidden) => {
      this.hidden = hidden;
      this.begin(packed(built(hidden, null, this.seed)));
    }, (hidden) => (hidden ? String(hidden) : "none"));
    this.rate_knob = slider(knobs, "Learning rate", [-2, 1.5, 0.05], (rate) => {
      this.rate = rate;
      this.send();
    }, String, LOG);
    this.speed = 5;
    slider(knobs, "Steps a frame", [0, 2, 0.1], (speed) => { this.speed = speed; },
      String, [(at) => Math.round(10 ** at), Math.log10]).put(this.speed);
    this.units = make(side, "div", { className: "units" });
    const below = make(root, "div", { className: "below_it" });
    const named = Object.keys(this.model.get("presets")).map((name) => [name, name]);
    this.mark_preset = choice(below, "Points to begin with", named, (name) => {
      this.film.stop();  // else it is over before one looks
      this.points = this.model.get("presets")[name].map((point) => [...point]);
      this.begin(this.start);
    });
    choice(below, "What a click sets", [[0, "● blue"], [1, "■ orange"]],
      (kind) => { this.kind = kind; })(this.kind);
    button(below, "No points", () => { this.points = []; this.changed_points(); });
    make(below, "p", { className: "hint", textContent: "Click: a new point. Drag points, lines by "
      + "their circle, arrows by their head. Double click: take a point away. Each dashed line is "
      + "where a node's sum is zero; the arrow is its two weights." });
    this.spoken = make(root, "p", { className: "spoken" });
    set(this.spoken, { "aria-live": "polite" });
  }

  // -- What the kernel has and gets

  receive() {
    const { model } = this;
    this.points = model.get("points").map((point) => [...point]);
    this.hidden = model.get("hidden");
    this.rate = model.get("learning_rate");
    this.start = model.get("start");
    const steps = model.get("steps");
    this.begin(this.start, false);
    if (steps) unpack(this.net, model.get("parameters"));
    this.steps = steps;
    this.measure();
    this.show();
  }

  send() {
    const values = { points: this.points, hidden: this.hidden, learning_rate: this.rate,
      start: this.start, parameters: packed(this.net), steps: this.steps };
    this.sending = true;  // our own change is on the screen already
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
    this.sending = false;
    this.sent = performance.now();
    this.spoken.textContent = this.film.running ? "" : this.told.textContent;
  }

  // -- Training

  begin(start, send = true) {
    Object.assign(this, { start, net: built(this.hidden, start), steps: 0, anchors: [] });
    this.curve.begin();
    this.nodes_knob.put(this.hidden);
    this.rate_knob.put(this.rate);
    this._build_lines();
    this._build_units();
    this.changed_points(send);
  }

  changed_points(send = true) {
    this._build_dots();
    this._name_points();
    const flat = this.points.flatMap(([x, y]) => [x, y]), n = this.points.length;
    this.x = new Matrix(n, 2, Float32Array.from(flat));
    this.targets = new Matrix(n, 1, Float32Array.from(this.points, (point) => point[2]));
    this.measure();
    this.show();
    if (send) this.send();
  }

  _name_points() {  // the preset that they are, if one
    const said = JSON.stringify(this.points), presets = Object.entries(this.model.get("presets"));
    this.mark_preset(presets.find(([, points]) => JSON.stringify(points) === said)?.[0]);
  }

  train(steps) {
    if (!this.points.length) return this.film.stop();
    for (let i = 0; i < steps; i++) {
      const [by_weights, by_biases] = this.net.backprop(this.x, this.targets, this.rate);
      plain(this.net, by_weights.concat(by_biases));
    }
    this.steps += steps;
    this.measure();
    this.show();
    if (this.film.running && performance.now() - (this.sent ?? 0) > BETWEEN) this.send();
  }

  measure() {
    if (!this.points.length) return;
    [this.loss, this.right] = loss_of(this.net, this.x, this.targets);
    this.curve.add(this.steps, this.loss);
  }

  // -- What is shown

  show() {
    if (!this.map.isConnected) return;  // the notebook puts it on the page later, and is observed
    const activations = this.net.forward(places), outputs = activations.at(-1).data;
    this._shade(outputs);
    const edge = edge_of(outputs);
    set(this.halo, { d: edge });
    set(this.edge, { d: edge });
    this._place_lines();
    this._show_units(activations.at(-2));
    this.curve.show();
    const n = this.points.length;
    this.told.innerHTML = n ? `<b>${this.loss.toFixed(3)}</b> loss<br>`
      + `${this.right} of ${n} right after ${this.steps} steps`
      + (even(outputs) ? `. It answers ${outputs[0].toFixed(2)} everywhere.` : "")
      : "Click on the plane to set points.";
  }

  _shade(outputs) {
    const context = sharp(this.map), { width, height } = this.map;
    const layer = (name, sign, k) => {  // the more certain, the stronger
      const alpha = (i) => 280 * Math.max(0, sign * (outputs[i] - 0.5));
      this.layers[k] = small_picture(rgb(this.probe, name), alpha, this.layers[k]);
      context.drawImage(this.layers[k], 0.5, 0.5, GRID - 1, GRID - 1, 0, 0, width, height);
    };
    context.clearRect(0, 0, width, height);
    layer("--orange", 1, 0);
    context.globalCompositeOperation = "destination-out";  // stripes: a second sign for orange
    context.strokeStyle = "rgb(0 0 0 / .4)";
    context.lineWidth = 1.5 * devicePixelRatio;
    context.beginPath();
    for (let x = -height; x < width; x += 10 * devicePixelRatio) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.globalCompositeOperation = "source-over";
    layer("--blue", -1, 1);
  }

  // The numbers that go into the output: each with a picture of where it is large, and its weight.
  _build_units() {
    this.units.replaceChildren();
    const names = this.hidden ? numbers(this.hidden).map((j) => `Node ${j + 1}`) : ["x", "y"];
    this.unit_rows = [...names, "Bias"].map((name, j) => {
      const data = () => [...this.net.weights.at(-1).data, this.net.biases.at(-1).data[0]];
      const knob = slider(this.units, name, [-20, 20, 0.1], (value) => {
        if (j < names.length) this.net.weights.at(-1).data[j] = value;
        else this.net.biases.at(-1).data[0] = value;
        this.touched();
      }, signed);
      knob.input.setAttribute("aria-label", `weight of ${name}`);
      const canvas = document.createElement("canvas");
      knob.row.prepend(canvas);
      return { knob, canvas, value: () => data()[j] };
    });
  }

  _show_units(before) {  // before: the activations of the layer before the output
    const low = this.hidden ? 0 : -RANGE, width = this.hidden ? 1 : 2 * RANGE;
    const ink = rgb(this.probe, "--ink"), { columns, data } = before;
    this.unit_rows.forEach(({ knob, canvas, value }, j) => {
      const weight = value();
      knob.put(weight);
      knob.row.dataset.sign = weight < 0 ? "against" : "for";
      if (j === columns) return;  // the bias is the same everywhere
      small_picture(ink, (i) => 200 * (data[i * columns + j] - low) / width, canvas);
    });
  }

  // -- The lines: where a node's sum is 0. An arrow, at a right angle, is its pair of weights.

  _build_lines() {
    this.lines.replaceChildren();
    this.handles = numbers(this.hidden || 1).map((j) => {
      const group = draw(this.lines, "g", { class: "line" });
      const line = draw(group, "line"), arrow = draw(group, "path", { class: "arrow" });
      const name = this.hidden ? `node ${j + 1}` : "the neuron";
      const foot = draw(group, "g", { class: "foot", role: "button",
        "aria-label": `line of ${name}: move it` });
      draw(foot, "circle", { r: 0.075 });
      draw(foot, "text", { dy: "0.035" }).textContent = this.hidden ? j + 1 : "";
      const tip = draw(group, "g", { class: "tip_of", role: "button",
        "aria-label": `weights of ${name}: turn or stretch the arrow` });
      draw(tip, "circle", { r: 0.09 });
      return { group, line, arrow, foot, tip };
    });
  }

  weights_of(j) {
    const { data, columns } = this.net.weights[0];
    return [data[j], data[columns + j], this.net.biases[0].data[j]];
  }

  set_weights(j, [w1, w2, b]) {
    const { data, columns } = this.net.weights[0];
    [data[j], data[columns + j], this.net.biases[0].data[j]] = [w1, w2, b];
  }

  // A place on the line to hold it by: the nearest to where it was, or else to the middle.
  anchor(j) {
    const [w1, w2, b] = this.weights_of(j), square = w1 * w1 + w2 * w2 || 1e-12;
    for (const [x, y] of [this.anchors[j] ?? [0, 0], [0, 0]]) {
      const off = (w1 * x + w2 * y + b) / square;
      const near = [x - off * w1, y - off * w2];
      if (Math.hypot(...near) < RANGE) return (this.anchors[j] = near);
    }
    const far = -b / Math.sqrt(square), way = Math.sign(far) * 0.93 * RANGE / Math.sqrt(square);
    return [way * w1, way * w2];  // the line is outside: this is where it went
  }

  tip(j) {
    const [w1, w2] = this.weights_of(j), size = Math.hypot(w1, w2) || 1e-6;
    const length = ARROW * size / (size + HALF), [x, y] = this.anchor(j);
    return [x + Math.max(length, 0.12) * w1 / size, y + Math.max(length, 0.12) * w2 / size];
  }

  _place_lines() {
    const out = this.net.weights.at(-1).data;
    this.handles.forEach(({ group, line, arrow, foot, tip }, j) => {
      const [x, y] = this.anchor(j), [x2, y2] = this.tip(j);
      const size = Math.hypot(x2 - x, y2 - y), [dx, dy] = [(x2 - x) / size, (y2 - y) / size];
      set(line, { x1: x + 9 * dy, y1: -(y - 9 * dx), x2: x - 9 * dy, y2: -(y + 9 * dx) });
      const wing = (side) => `${x2 - 0.07 * dx + side * 0.045 * dy} `
        + `${-(y2 - 0.07 * dy - side * 0.045 * dx)}`;
      set(arrow, { d: `M${x} ${-y}L${x2} ${-y2}M${wing(1)}L${x2} ${-y2}L${wing(-1)}` });
      set(foot, { transform: `translate(${x} ${-y})` });
      set(tip, { transform: `translate(${x2} ${-y2})` });
      const [w1, w2, b] = this.weights_of(j);
      const outside = Math.abs(b) > RANGE * 1.414 * Math.hypot(w1, w2);
      group.style.setProperty("--loud", this.hidden ? Math.min(1, Math.abs(out[j]) / 6) : 1);
      group.classList.toggle("outside", outside);
    });
  }

  move_foot(j, x, y) {
    const [w1, w2] = this.weights_of(j);
    this.anchors[j] = [x, y];
    this.set_weights(j, [w1, w2, -(w1 * x + w2 * y)]);
    this.touched();
  }

  move_tip(j, x2, y2) {
    const [x, y] = this.anchor(j), length = Math.hypot(x2 - x, y2 - y);
    if (length < 0.01) return;
    const short = Math.min(Math.max(length, 0.02), ARROW * 0.85);
    const size = HALF * short / (ARROW - short) / length;
    const [w1, w2] = [(x2 - x) * size, (y2 - y) * size];
    this.set_weights(j, [w1, w2, -(w1 * x + w2 * y)]);
    this.touched();
  }

  touched() {  // by hand: the weights are others now
    this.measure();
    this.show();
    if (performance.now() - (this.sent ?? 0) > BETWEEN) this.send();
  }

  // -- Points, and what moves them

  _build_dots() {
    this.dots.replaceChildren();
    const dots = this.points.map((point, i) => {
      const dot = draw(this.dots, "g", { class: point[2] ? "dot square" : "dot circle",
        role: "button" });
      draw(dot, "circle", { r: 0.09, class: "reach" });
      if (point[2]) draw(dot, "rect", { x: -0.045, y: -0.045, width: 0.09, height: 0.09 });
      else draw(dot, "circle", { r: 0.05 });
      const place = (x, y) => {
        [point[0], point[1]] = [x, y];
        set(dot, { transform: `translate(${x} ${-y})`,
          "aria-label": `${KINDS[point[2]]} at ${x.toFixed(2)}, ${y.toFixed(2)}` });
      };
      place(point[0], point[1]);
      const move = (x, y) => {
        place(x, y);
        this.x.row(i).set([x, y]);
        this._name_points();
        this.touched();
      };
      return { element: dot, at: () => point, move, i };
    });
    const handles = this.handles.flatMap(({ foot, tip }, j) => [
      { element: tip, at: () => this.tip(j), move: (x, y) => this.move_tip(j, x, y) },
      { element: foot, at: () => this.anchor(j), move: (x, y) => this.move_foot(j, x, y) },
    ]);
    this.things = [...dots, ...handles];
    this.chosen = Math.min(this.chosen, this.things.length - 1);
    this.things.forEach((thing, k) => {
      thing.element.onfocus = () => this._choose(k);
      thing.element.setAttribute("tabindex", k === this.chosen ? 0 : -1);
    });
  }

  _choose(k) {
    this.things[this.chosen]?.element.setAttribute("tabindex", -1);
    this.chosen = k;
    this.things[k].element.setAttribute("tabindex", 0);
  }

  _focus(k) {
    this._choose((k + this.things.length) % this.things.length);
    this.things[this.chosen].element.focus();
  }

  add(x, y) {
    this.points.push([x, y, this.kind]);
    this.changed_points();
    this._focus(this.points.length - 1);
  }

  _pointer() {
    const place = (event) => {
      const { left, top, width } = this.svg.getBoundingClientRect();
      const clip = (at) => Math.max(-RANGE, Math.min(RANGE, at));
      return [clip(((event.clientX - left) / width * 2 - 1) * RANGE),
        clip((1 - (event.clientY - top) / width * 2) * RANGE)];
    };
    let held = null;
    this.svg.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      const thing = this.things.find(({ element }) => element.contains(event.target));
      if (!thing) return this.add(...place(event));
      held = thing;
      thing.element.focus();
      this.svg.setPointerCapture(event.pointerId);
    };
    this.svg.onpointermove = (event) => held?.move(...place(event));
    this.svg.onpointerup = this.svg.onpointercancel = () => {
      if (held) this.send();
      held = null;
    };
    this.svg.ondblclick = () => this._key("Delete");
    this.svg.onkeydown = (event) => { if (this._key(event.key)) event.preventDefault(); };
  }

  _key(key) {  // -> whether it meant something
    const thing = this.things[this.chosen], step = STEPS[key];
    const inside = (at) => Math.max(-RANGE, Math.min(RANGE, at));
    if (step) thing.move(...step.map((way, k) => inside(thing.at()[k] + 0.05 * way)));
    else if (key === "PageDown") this._focus(this.chosen + 1);
    else if (key === "PageUp") this._focus(this.chosen - 1);
    else if (key === "Enter") this.add(0, 0);
    else if (key === " " && thing.i != null) {
      this.points[thing.i][2] = 1 - this.points[thing.i][2];
      this.changed_points();
      this._focus(thing.i);
    } else if (key === "Delete" && thing.i != null) {
      this.points.splice(thing.i, 1);
      this.changed_points();
      this._focus(Math.max(0, thing.i - 1));
    } else return false;
    return true;
  }
}

function small_picture(color, alpha, canvas) {  // GRID x GRID of one colour, more or less of it
  if (canvas.width !== GRID || canvas.height !== GRID)
    Object.assign(canvas, { width: GRID, height: GRID });
  const context = canvas.getContext("2d"), image = new ImageData(GRID, GRID), { data } = image;
  for (let i = 0, at = 0; i < GRID * GRID; i++) {
    for (const part of color) data[at++] = part;
    data[at++] = alpha(i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const properties = ["points", "hidden", "learning_rate", "start"];

export default { render: shown(PlaneView, properties, "map", "show") };
