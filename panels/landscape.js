// The loss of one neuron over its two weights, as heights, and a ball that rolls down: each step of
// gradient descent is a jump. The bias stays as it was given.

const SIDE = 48;  // meshes a side of the relief
const FRAMES = 5;  // from one step to the next
const MOST = 120;  // steps a run
const SEEN = 30;  // of them, the last, are drawn dark
const RATES = [["too small", 0.1], ["right", 3], ["too large", 15]];
const TILT = 0.72, TALL = 0.55;  // how far from above one looks, and how high the highest place is

function floats(view) {
  const { buffer, byteOffset, byteLength } = view;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

class LandscapeView {
  constructor(model, root) {
    Object.assign(this, { model, turn: -35, path: [], before: [] });
    this.probe = make(root, "i", { hidden: true });
    const picture = make(root, "div", { className: "picture relief" });
    const side = make(root, "div", { className: "side" });
    this.relief = make(picture, "canvas");
    this.svg = draw(picture, "svg", { viewBox: "-1 -0.75 2 1.5", role: "application",
      "aria-label": "The loss as a landscape. Arrow keys on the ball put it elsewhere." });
    for (const name of ["frame_of", "levels", "before", "older", "halo", "path"])
      this[`${name}_line`] = draw(this.svg, "path", { class: name });
    this.bottom = draw(this.svg, "path", { class: "bottom", d: "M-.02 0H.02M0 -.02V.02" });
    this.ball = draw(this.svg, "g", { class: "ball", tabindex: 0, role: "button" });
    draw(this.ball, "circle", { r: 0.035 });
    this.names = [0, 1].map(() => draw(this.svg, "text", { class: "axis" }));
    this._controls(root, side);
    this._pointer();
    this.receive();
  }

  _controls(root, side) {
    this.film = new Film(side, () => this.roll(), () => this.send());
    const toggle = this.film.button.onclick;
    this.film.button.onclick = () => {
      if (!this.film.running && this.over) this.put(this.path[0]);
      toggle();
    };
    button(this.film.row, "Step", () => {
      this.film.stop();
      this.step();
      this.part = 1;
      this.show();
      this.send();
    });
    button(this.film.row, "Again", () => { this.film.stop(); this.put(this.path[0]); });
    button(this.film.row, "From 0, 0", () => { this.film.stop(); this.put([0, 0]); });
    this.told = make(side, "p", { className: "told" });
    this.curve = new Curve(side, "The loss, step by step");
    const knobs = make(side, "div", { className: "knobs" });
    this.rate_knob = slider(knobs, "Learning rate", [-2, 1.5, 0.01], (rate) => {
      this.rate = rate;
      this.changed();
    }, String, LOG);
    this.momentum_knob = slider(knobs, "Momentum", [0, 0.95, 0.05], (momentum) => {
      this.momentum = momentum;
      this.changed();
    }, (momentum) => momentum.toFixed(2));
    slider(knobs, "Look from", [-180, 180, 5], (turn) => {
      this.turn = turn;
      this.show_relief();
    }, (turn) => `${turn}°`.replace("-", "−")).put(this.turn);
    const below = make(root, "div", { className: "below_it" });
    this.mark_scene = choice(below, "Landscape", [[1, "round valley"], [4, "ravine"]], (scale) => {
      this.scale = scale;
      this.film.stop();
      this.build();
      this.put([0, 0]);
    });
    this.mark_rate = choice(below, "Learning rate", RATES.map(([name, rate]) => [rate, name]),
      (rate) => { this.rate = rate; this.changed(); this.put(this.path[0]); });
    make(below, "p", { className: "hint", textContent: "Click on the slopes, or drag the ball: it "
      + "starts there. The cross is the bottom. In the ravine the second input's numbers are four "
      + "times as large." });
    this.spoken = make(root, "p", { className: "spoken" });
    set(this.spoken, { "aria-live": "polite" });
  }

  receive() {
    const { model } = this;
    this.inputs = floats(model.get("inputs"));
    this.targets = floats(model.get("targets"));
    [this.rate, this.momentum, this.scale] =
      ["learning_rate", "momentum", "scale"].map((name) => model.get(name));
    this.build();
    const weights = model.get("weights");
    this.put(model.get("start"), false);
    if (model.get("steps")) Object.assign(this, { path: [this.path[0], weights], part: 1 });
    this.changed(false);
    this.show();
  }

  send() {
    const values = { learning_rate: this.rate, momentum: this.momentum, scale: this.scale,
      start: this.path[0], weights: this.path.at(-1), steps: this.steps };
    this.sending = true;
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
    this.sending = false;
    this.spoken.textContent = this.told.textContent;
  }

  // -- The loss

  build() {  // the neuron, and the landscape of these inputs
    const options = { loss: "cross-entropy", biases: true };
    this.net = new NeuralNetwork([2, 1], options);
    this.net.biases[0].data[0] = this.model.get("bias");
    const n = this.targets.length;
    const x = this.inputs.map((number, i) => (i % 2 ? this.scale * number : number));
    [this.x, this.t] = [new Matrix(n, 2, x), new Matrix(n, 1, this.targets)];
    const [w1, w2] = this.model.get("bottom");
    this.deepest = [w1, w2 / this.scale];
    const half = 1.35 * Math.max(...this.deepest.map(Math.abs), 0.1);
    this.box = this.deepest.map((at) => [at / 2 - half, at / 2 + half]);
    const knots = numbers((SIDE + 1) ** 2).map((k) => [k % (SIDE + 1), Math.floor(k / (SIDE + 1))]);
    this.knots = knots.map((knot) => knot.map((at, axis) => (
      this.box[axis][0] + at / SIDE * 2 * half
    )));
    const losses = this.knots.map((weights) => this.loss(weights));
    this.low = this.loss(this.deepest);
    this.high = Math.max(...losses);
    const order = [...losses].sort((a, b) => a - b);
    const level = (i) => order[Math.floor(((i + 0.5) / 12) ** 1.6 * (order.length - 1))];
    this.levels = numbers(12).map(level);
    this.losses = losses;
    this.show_relief();
  }

  loss([w1, w2]) {
    const [x, t, b] = [this.x.data, this.t.data, this.net.biases[0].data[0]];
    let sum = 0;
    for (let i = 0; i < t.length; i++) {
      const z = x[2 * i] * w1 + x[2 * i + 1] * w2 + b;
      sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - t[i] * z;
    }
    return sum / t.length;
  }

  // -- Steps

  put(weights, send = true) {  // the ball, before its first step
    if (this.ways?.length > 1) this.before = this.ways;
    Object.assign(this, { path: [[...weights]], velocity: [0, 0], steps: 0, part: 1, over: "" });
    this.ways = [];
    this.curve.begin();
    this.curve.add(0, this.loss(weights));
    this.show();
    if (send) this.send();
  }

  step() {  // Nesterov's, as in optimisers.py: it looks ahead
    this.net.weights[0].data.set(this.path.at(-1));
    const slopes = this.net.backprop(this.x, this.t, this.rate)[0][0].data;
    const weights = this.path.at(-1).map((weight, k) => {
      this.velocity[k] = this.momentum * this.velocity[k] + slopes[k];
      return weight - slopes[k] - this.momentum * this.velocity[k];
    });
    this.ways.push(this.way(this.path.at(-1), weights));
    this.path.push(weights);
    this.steps += 1;
    this.part = 0;
    const above = this.loss(weights) - this.low;
    this.curve.add(this.steps, this.loss(weights));
    if (above < 1e-3) this.over = "It is there.";
    else if (this.steps >= MOST) {
      const losses = this.path.slice(-10).map((at) => this.loss(at));
      this.over = losses.some((loss, k) => loss > losses[k - 1] + 1e-6)
        ? "It jumps to and fro: the steps are too long." : "It is still on its way.";
    }
    if (!weights.every(Number.isFinite)) this.over = "It has flown away: the rate is too large.";
  }

  way(from, to, part = 1) {  // of one step, along the ground: weights and the loss there
    return numbers(9).map((k) => {
      const at = from.map((weight, axis) => weight + part * k / 8 * (to[axis] - weight));
      return [at, this.loss(at)];
    });
  }

  roll() {  // a frame
    if (this.part >= 1 && this.over) return this.film.stop();
    if (this.part >= 1) this.step();
    this.part = Math.min(1, this.part + 1 / FRAMES);
    this.show();
  }

  changed(send = true) {
    this.rate_knob.put(this.rate);
    this.momentum_knob.put(this.momentum);
    this.mark_scene(this.scale);
    this.mark_rate(this.rate);
    this.over = "";
    if (send) this.send();
  }

  // -- What is shown

  project([w1, w2], loss = this.loss([w1, w2])) {  // -> [right, down, how near]
    const [u, v] = [w1, w2].map((weight, k) => {
      const [low, high] = this.box[k];
      return (weight - low) / (high - low) * 2 - 1;
    });
    const height = Math.min(1.2, (loss - this.low) / (this.high - this.low));
    const angle = this.turn * Math.PI / 180, [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [right, near] = [u * cos + v * sin, u * sin - v * cos];
    return [0.62 * right, 0.62 * (near * TILT - height * TALL) + 0.05, near];
  }

  show_relief() {
    if (!this.relief.isConnected) return;  // the notebook puts it on the page later
    const context = sharp(this.relief), { width, height } = this.relief;
    const ink = rgb(this.probe, "--ink"), page = rgb(this.probe, "--page");
    const mixed = (part) => ink.map((number, k) => number * part + page[k] * (1 - part));
    this.places = this.knots.map((knot, k) => this.project(knot, this.losses[k]));
    context.clearRect(0, 0, width, height);
    const meshes = numbers(SIDE * SIDE).map((k) => {
      const at = Math.floor(k / SIDE) * (SIDE + 1) + k % SIDE;
      return [at, at + 1, at + SIDE + 2, at + SIDE + 1];
    });
    const near = (mesh) => this.places[mesh[0]][2] + this.places[mesh[2]][2];
    context.lineWidth = devicePixelRatio;
    for (const mesh of meshes.sort((a, b) => near(a) - near(b))) {
      const [a, b, c, d] = mesh.map((k) => this.losses[k] / (this.high - this.low));
      const [east, south] = [b + c - a - d, c + d - a - b].map((rise) => rise * SIDE / 4);
      const light = (1 - 0.9 * east + 0.5 * south) / Math.hypot(1, east, south);  // from one side
      context.fillStyle = context.strokeStyle = `rgb(${mixed(0.62 - 0.44 * light)})`;
      context.beginPath();
      for (const k of mesh) {
        const [right, down] = this.places[k];
        context.lineTo((right + 1) / 2 * width, (down + 0.75) / 1.5 * height);
      }
      context.closePath();
      context.fill();
      context.stroke();
    }
    const paths = this.levels.map((level) => contour(this.losses, SIDE + 1, level, (...at) => (
      this.project(at.map((number, k) => {
        const [low, high] = this.box[k];
        return low + number / SIDE * (high - low);
      }), level)
    )));
    set(this.levels_line, { d: paths.join("") });
    const corners = [0, SIDE, (SIDE + 1) ** 2 - 1, (SIDE + 1) * SIDE];
    const flat = corners.map((k) => this.project(this.knots[k], this.low));
    set(this.frame_of_line, { d: `M${flat.map((at) => at.slice(0, 2).join(" ")).join("L")}Z` });
    this.names.forEach((name, axis) => {  // at the nearer of the two edges along this weight
      const edges = axis ? [[1, 2], [3, 0]] : [[0, 1], [2, 3]];
      const middle = edges.map(([a, b]) => flat[a].map((at, k) => (at + flat[b][k]) / 2));
      const [right, down] = middle[0][2] > middle[1][2] ? middle[0] : middle[1];
      const [low, high] = this.box[axis].map((at) => at.toFixed(1).replace("-", "−"));
      name.textContent = `${axis ? "second" : "first"} weight, ${low} to ${high}`;
      set(name, { x: right * 1.15, y: down + 0.09 });
    });
    this.show();
  }

  show() {
    if (!this.path.length) return;
    const near = ([at]) => at.every((weight) => Math.abs(weight) < 100);
    const line = (ways) => ways.map((way) => (
      `M${way.filter(near).map((at) => this.project(...at).slice(0, 2).join(" ")).join("L")}`
    )).join("");
    const [from, to] = [this.path.at(-2) ?? this.path[0], this.path.at(-1)];
    const now = from.map((weight, k) => weight + this.part * (to[k] - weight));
    const way = line([...this.ways.slice(-SEEN, -1), this.way(from, to, this.part)]);
    set(this.older_line, { d: line(this.ways.slice(0, -SEEN)) });
    set(this.path_line, { d: way });
    set(this.halo_line, { d: way });
    set(this.before_line, { d: line(this.before) });
    const place = ([x, y]) => `translate(${Math.max(-2, Math.min(2, x))} `
      + `${Math.max(-2, Math.min(2, y))})`;
    if (now.every(Number.isFinite)) set(this.ball, { transform: place(this.project(now)),
      "aria-label": `ball at weights ${to.map((weight) => weight.toFixed(2)).join(", ")}` });
    set(this.bottom, { transform: place(this.project(this.deepest)) });
    this.curve.show();
    const loss = this.loss(to);
    const above = Number.isFinite(loss) ? `${(loss - this.low).toFixed(3)} above the bottom ` : "";
    const off = this.project(now).some((x) => Math.abs(x) > 1) ? "It is off the picture. " : "";
    this.told.innerHTML = `<b>${loss.toFixed(3)}</b> loss<br>${above}after `
      + `${this.steps} steps. ${off}${this.over}`;
  }

  // -- The ball in the hand

  _pointer() {
    const nearest = (event) => {
      const { left, top, width, height } = this.svg.getBoundingClientRect();
      const x = (event.clientX - left) / width * 2 - 1;
      const y = ((event.clientY - top) / height * 2 - 1) * 0.75;
      const far = this.places.map(([right, down]) => (right - x) ** 2 + (down - y) ** 2);
      return this.knots[far.reduce((best, one, k) => (one < far[best] ? k : best), 0)];
    };
    let held = false;
    this.svg.onpointerdown = (event) => {
      event.preventDefault();
      held = true;
      this.film.stop();
      this.ball.focus();
      this.svg.setPointerCapture(event.pointerId);
      this.put(nearest(event));
    };
    this.svg.onpointermove = (event) => { if (held) this.put(nearest(event), false); };
    this.svg.onpointerup = this.svg.onpointercancel = () => {
      if (held) this.send();
      held = false;
    };
    this.ball.onkeydown = (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      this.film.stop();
      this.put(this.path.at(-1).map((weight, k) => {
        const [low, high] = this.box[k];
        return Math.min(high, Math.max(low, weight + step[k] * (high - low) / 40));
      }));
    };
  }
}

const properties = ["learning_rate", "momentum", "scale", "start"];

export default { render: shown(LandscapeView, properties, "relief", "show_relief") };
