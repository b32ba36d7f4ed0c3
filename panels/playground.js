// What the plane and the landscape share: how a view lives in its cell, a slider, a button, a curve
// of the loss, and a film that runs at the pace of the screen. In front of it stand the network and
// the elements of page/.

const SVG = "http://www.w3.org/2000/svg";
const STEPS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const signed = (number) => number.toFixed(1).replace(/^-?0\.0$/, " 0.0").replace(/^-/, "−")
  .replace(/^(?=\d)/, "+");

function draw(parent, tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  parent.append(element);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function button(parent, text, pressed, properties = {}) {
  const made = make(parent, "button", { type: "button", textContent: text, ...properties });
  made.onclick = pressed;
  return made;
}

// One of several: the chosen one stays pressed. choices: [[value, text], ...]
function choice(parent, label, choices, chosen) {
  const group = make(parent, "div", { className: "choice" });
  set(group, { role: "group", "aria-label": label });
  const buttons = choices.map(([value, text]) => {
    const one = button(group, text, () => { mark(value); chosen(value); });
    one.dataset.value = value;
    return one;
  });
  const mark = (value) => buttons.forEach((one) => {
    one.setAttribute("aria-pressed", one.dataset.value === String(value));
  });
  return mark;
}

// A slider with its name and its value in words, which a screen reader says as well.
// scale  from where the slider stands to the value, and back
function slider(parent, label, [low, high, step], moved, words, scale = [(at) => at, (v) => v]) {
  const row = make(parent, "label", { className: "knob" });
  make(row, "span", { textContent: label });
  const input = make(row, "input", { type: "range", min: low, max: high, step });
  const said = make(row, "output");
  const put = (value) => {
    input.value = scale[1](value);
    said.textContent = words(value);
    set(input, { "aria-valuetext": words(value) });
  };
  input.oninput = () => {
    const value = scale[0](Number(input.value));
    put(value);
    moved(value);
  };
  return { put, row, input };
}

const LOG = [(at) => Number((10 ** at).toPrecision(2)), Math.log10];  // equal ways, equal factors

class Curve {  // of the loss, from 0 up. Runs before it stay there, pale.
  constructor(parent, label) {
    this.svg = draw(parent, "svg", { class: "curve", viewBox: "0 0 300 60", role: "img",
      preserveAspectRatio: "none", "aria-label": label });
    this.old = draw(this.svg, "polyline", { class: "old" });
    this.line = draw(this.svg, "polyline", { class: "now" });
    this.begin();
  }

  begin() {
    if (this.points?.length > 2) this.before = this.points;
    this.points = [];
  }

  add(step, loss) {
    if (this.points.at(-1)?.[0] === step) this.points.pop();  // weights were moved by hand
    if (Number.isFinite(loss)) this.points.push([step, loss]);
    if (this.points.length > 600)  // each second one tells the same
      this.points = this.points.filter((_, i) => i % 2 === 0);
  }

  show() {
    const all = this.points.concat(this.before ?? []);
    const far = Math.max(...all.map(([step]) => step), 20);
    const most = Math.max(...all.map(([, loss]) => loss), 0.1);
    const place = ([step, loss]) => `${300 * step / far},${58 - 56 * Math.min(loss / most, 1)}`;
    set(this.line, { points: this.points.map(place).join(" ") });
    set(this.old, { points: (this.before ?? []).map(place).join(" ") });
  }
}

// What shows a View in a cell. It hears when one of these properties changes in the kernel, and its
// method `fit` is called when its `picture` gets another size, or the page other colours.
function shown(View, properties, picture, fit) {
  return ({ model, el }) => {
    const let_go = own_keys(el);
    const stage = make(el, "div", { className: "stage" });
    const view = new View(model, make(stage, "div", { className: "play" }));
    const heard = () => { if (!view.sending) view.receive(); };
    const events = properties.map((name) => `change:${name}`);
    for (const event of events) model.on(event, heard);
    const observer = new ResizeObserver(() => view[fit]());
    observer.observe(view[picture]);
    const themes = new MutationObserver(() => setTimeout(() => view[fit](), 300));  // it has to load
    themes.observe(document.body, { attributes: true });
    el.view = view;
    return () => {
      let_go();
      view.film.stop();
      observer.disconnect();
      themes.disconnect();
      for (const event of events) model.off(event, heard);
    };
  };
}

class Film {  // calls `frame` before each picture of the screen while it runs
  constructor(root, frame, stopped) {
    Object.assign(this, { frame, stopped, times: [] });
    const row = make(root, "div", { className: "run" });
    this.button = button(row, "Run", () => this.toggle(), { className: "main" });
    this.row = row;
  }

  get running() { return this.waiting != null; }

  toggle() {
    if (this.running) this.stop(); else this.next();
    this.name();
  }

  next() {
    this.waiting = requestAnimationFrame(() => {
      const began = performance.now();
      this.next();  // first, so that the frame can stop it
      this.frame();
      this.times.push(performance.now() - began);
      if (this.times.length > 600) this.times.shift();
    });
  }

  stop() {
    if (!this.running) return;
    cancelAnimationFrame(this.waiting);
    this.waiting = null;
    this.name();
    this.stopped();
  }

  name() {
    this.button.textContent = this.running ? "Pause" : "Run";
  }
}

function rgb(element, name) {  // a colour of the theme, as three numbers
  element.style.color = `var(${name})`;
  return getComputedStyle(element).color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

// Where a square grid of numbers crosses a level: a path, mesh by mesh ("marching squares").
// place  (column, row) -> [x, y]
function contour(values, side, level, place) {
  const parts = [], at = (column, row) => values[row * side + column] - level;
  for (let row = 0; row < side - 1; row++) {
    for (let column = 0; column < side - 1; column++) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const ends = [];
      corners.forEach(([c, r], k) => {
        const [c2, r2] = corners[(k + 1) % 4], one = at(c, r), two = at(c2, r2);
        if (one > 0 === two > 0) return;
        const part = one / (one - two);
        const [x, y] = place(c + part * (c2 - c), r + part * (r2 - r));
        ends.push(`${x.toFixed(3)} ${y.toFixed(3)}`);
      });
      for (let k = 0; k + 1 < ends.length; k += 2) parts.push(`M${ends[k]}L${ends[k + 1]}`);
    }
  }
  return parts.join("");
}

function sharp(canvas) {  // as many pixels as the screen has there
  const { width, height } = canvas.getBoundingClientRect(), density = devicePixelRatio;
  const [w, h] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  return canvas.getContext("2d");
}
