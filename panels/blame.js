// Touch the blame: the network on its stage, and below it the chain of numbers that makes the slope
// of what you point at. The kernel sends the numbers (blame.py), blame_ahead.js works them out until
// they come; blame_chain.js says which of them make a slope, and blame_stage.js draws. All of them
// stand before this file.

const LOOKS = ["slopes", "weights", "activations"];  // what the tiles show
const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};
const PARTS = `
  <header><p class="what"></p><p class="loss"></p></header>
  <canvas tabindex="0" role="application" aria-label="The network. Arrow keys move from place to
    place, Page up and Page down from layer to layer, Enter picks."></canvas>
  <p class="says" role="status"></p>
  <div class="controls">
    <button type="button" class="main" data-do="step">One step</button>
    <button type="button" data-do="back">Back</button>
    <label class="moment"><span></span><input type="range" min="0" step="1"></label>
    <label class="example"><span></span><input type="range" min="0" step="1"></label>
    <div class="looks" role="radiogroup" aria-label="What the tiles show"></div>
  </div>
  <p class="gone">The kernel has ended: you can still point, but not step or nudge. Run the cell
    again to go on.</p>
  <section class="chain" aria-live="off">
    <div class="head"><h4></h4><p class="slope"></p>
      <p class="try"><button type="button" class="nudge"></button><span role="status"></span></p>
    </div>
    <div class="table" role="table" aria-label="the chain of numbers"></div>
  </section>`;

const color = (number) => `var(--${number < 0 ? "under" : number > 0 ? "over" : "soft"})`;

class Blame {
  constructor(model, root) {
    Object.assign(this, { model, root, look: LOOKS[0], picked: [], pointed: null, marked: [] });
    this.foretold = [];  // the keys of pictures that the kernel is about to send
    this.blind = false;  // whether it was asked for a moment that cannot be foretold
    root.className = "blame";
    root.innerHTML = PARTS;
    this.find = (name) => root.querySelector(name);
    this.stage = new Stage(this.find("canvas"));
    this.ahead = new Ahead(model.get("about"));
    this._listen();
    this.load();
  }

  load() {  // new numbers from the kernel
    const { model, ahead, net, foretold } = this, state = state_of(model.get("numbers"));
    const known = foretold.indexOf(key_of(state)), text = model.get("weights");
    this.foretold = known < 0 ? [] : foretold.slice(known + 1);
    if (state.moment === model.get("moment")) this.blind = false;
    if (known >= 0 && key_of(state) !== key_of(net)) return;  // overtaken: another one is to come
    const right = known >= 0 && !differ(net.data, state.data, 1e-9);
    if (right) net.adopt(state);
    else {
      const same = text === this.text && known < 0, { bits } = ahead.about;
      const weights = same ? ahead.weights
        : Float64Array.from(numbers_of(text, bits > 32 ? Float64Array : Float32Array));
      ahead.learn(weights, state);
      this.become(state);
    }
    this.text = text;
  }

  // Show what the kernel is about to answer, if that can be told: to a step, to one back (-1), to
  // another example, or to another moment. Where it cannot be told, what follows waits as well.
  foretell(step, { example = this.net.example, moment = this.net.moment } = {}) {
    const { ahead, net } = this, moved = moment !== net.moment;
    if (!ahead.right || (!step && !moved && example === net.example)) return;
    this.blind ||= moved && !ahead.go(moment);
    if (this.blind || (step < 0 && !ahead.back())) return;
    if (step > 0) ahead.step(example);
    const { steps, undo } = moved ? { steps: 0, undo: 0 } : net, data = ahead.numbers(example);
    this.become({ example, moment, steps: steps + step, undo: undo + step, data });
    this.foretold.push(key_of(this.net));
  }

  become(state) {  // the picture of this state
    const { ahead, find } = this, before = this.net;
    this.net = new Numbers(ahead.about, ahead.weights, state);
    const { net } = this, { targets, a, last } = net, many = net.layers[last] > 1;
    const best = (row) => row.indexOf(Math.max(...row)), digit = best(targets);
    if (!this.picked.length) {  // something to begin with: the weight with the steepest slope
      const steepest = (row) => best(row.map(Math.abs));
      this.picked = [{ layer: 0, node: best(a[0]) }, { layer: 1, node: steepest(net.delta[1]) }];
    }
    const said = many ? best(a[last]) : written(a[last][0]);
    find(".what").innerHTML = many && net.side
      ? `A <b>${digit}</b>, read as <b>${said}</b>`
      : `Target <b>${many ? digit : written(targets[0])}</b>, output <b>${said}</b>`;
    const stepped = before && before.steps !== net.steps && before.example === net.example;
    const was = stepped && before.moment === net.moment ? `${written(before.loss, 5)} → ` : "";
    find(".loss").innerHTML = `loss ${was}<b>${written(net.loss, 5)}</b>`;
    const steps = net.moments[net.moment], s = net.steps > 1 ? "s" : "";
    find(".moment span").textContent = (steps ? `after ${steps} steps of training` : "at the start")
      + (net.steps ? ` + ${net.steps} step${s} of yours` : "");
    find(".example span").textContent = `example ${net.example + 1} of ${net.examples}`;
    find(".moment").hidden = net.moments.length < 2;
    find(".example").hidden = net.examples < 2;
    for (const [name, most] of [["moment", net.moments.length], ["example", net.examples]]) {
      const slider = find(`.${name} input`);
      slider.max = most - 1;
      if (document.activeElement !== slider) slider.value = net[name];
      slider.setAttribute("aria-valuetext", find(`.${name} span`).textContent);
    }
    find("[data-do=back]").disabled = !net.undo;
    find("[data-do=step]").title = `each weight minus ${net.rate.toPrecision(2)} times its slope`;
    find(".looks").hidden = net.tiny;
    this.stage.show(net, this.look);
    this._say_nudged();
    this.show();
    this.root.dataset.shows = key_of(net);  // for tests
  }

  // What is picked: a node, or two of layers that follow each other, with the weight between them

  get place() {
    const [first, second] = this.picked;
    return second ? { ...second, from: first.node } : first;
  }

  pick(place) {
    if (place.from !== undefined) {
      this.picked = [{ layer: place.layer - 1, node: place.from }, place];
      this.picked[1] = { layer: place.layer, node: place.node };
    } else if (this.picked.length > 1 && this.picked.some((node) => same(node, place))) {
      this.picked = [place];
    } else {
      const beside = this.picked.find(({ layer }) => Math.abs(layer - place.layer) === 1);
      this.picked = beside ? [beside, place].sort((a, b) => a.layer - b.layer) : [place];
    }
    this._say_nudged();
    this.show();
  }

  show() {  // all of it anew
    if (!this.width) return;  // it is not on the page yet
    this.table();
    this.say();
    this.draw();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this._still(), 1000);
  }

  // The chain

  table() {
    const { net, place, find } = this, { layer, node, from } = place;
    const { width } = this, taken = width > 1186 ? 776 : width > 800 ? 320 : 270;
    const columns = Math.max(3, Math.min(10, Math.floor((width - taken) / 61)));
    const all = net.layers[layer + 1];
    const { rows, nodes, rest } = net.chain(place, all > columns ? columns - 1 : columns);
    const slope = net.slope(place), name = net.name(place);
    find("h4").textContent = name[0].toUpperCase() + name.slice(1);
    const by = from === undefined && layer ? "by the sum z of this node" : `by this ${
      from === undefined ? (net.side ? "pixel" : "input") : "weight"}`;
    const way = slope ? `If it grew a little, the loss would <b>${
      slope > 0 ? "rise ▲" : "fall ▼"}</b>.` : "A little change leaves the loss where it is.";
    const value = from === undefined ? net.a[layer][node] : net.weight(place);
    const number = `<b style="color:${color(slope)}">${written(slope, 6, "+")}</b>`;
    find(".slope").innerHTML = `It is ${written(value)}. The slope of the loss ${by}: ${number}. ${
      way}`;
    const bias = from === undefined && layer > 0;
    find(".try").hidden = bias && !net.biases;
    find(".nudge").textContent = `Nudge ${bias ? "its bias" : "it"} by ${net.push}`;
    const table = find(".table");
    table.replaceChildren();
    const shown = Math.max(1, nodes.length + (rest ? 1 : 0));
    table.style.setProperty("--columns", shown);
    table.classList.toggle("few", nodes.length < 5);
    if (nodes.length) {
      const head = make(table, "div", { className: "head" }, { role: "row" });
      const what = layer + 1 < net.last ? "hidden node" : "output", many = all > 1;
      make(head, "span", { textContent: `through ${many ? what : "the output"}` });
      for (const k of nodes) make(head, "span", { textContent: many ? k : "" });
      if (rest) make(head, "span", { textContent: `${rest} more` });
      make(head, "span", { textContent: many ? "together" : "" });
    }
    for (const row of rows) this._row(table, row, shown);
  }

  _row(table, { name, formula, line, cells = [], total }, columns) {
    const row = make(table, "div", { tabIndex: 0 }, { role: "row" });
    const head = make(row, "span", { className: "name" }, { role: "rowheader" });
    head.append(`${name} `);
    make(head, "i", { textContent: formula });
    const places = [...cells, total].filter((cell) => cell?.place);
    for (let k = 0; k < columns + 1; k++) {
      const cell = k < columns ? cells[k] : total;
      const number = make(row, "span", { className: k < columns ? "cell" : "total" });
      if (!cell) continue;
      number.setAttribute("role", "cell");
      number.textContent = written(cell.number, k < columns ? 3 : 5);
      number.title = String(cell.number);
      number.style.setProperty("--own", color(cell.number));
      number.place = cell.place;
      if (cell.place) number.onpointerenter = () => this.mark([cell]);
    }
    const code = make(row, "code", { textContent: line.code }, { role: "cell" });
    make(code, "small", { textContent: `  ${line.where}` });
    head.onpointerenter = code.onpointerenter = row.onfocus = () => this.mark(places);
    row.onpointerleave = row.onblur = () => this.mark([]);
  }

  mark(cells) {  // number, formula and place in one colour
    this.marked = cells;
    this._link(cells.map(({ place }) => place));
    this.draw();
  }

  _link(places) {
    for (const row of this.find(".table").children) {
      let linked = false;
      for (const number of row.children) {
        const on = places.some((place) => same(place, number.place));
        number.classList.toggle("on", on);
        linked ||= on;
      }
      row.classList.toggle("linked", linked);
    }
  }

  // Pointing

  _listen() {
    const { model, root, find, stage } = this, { canvas } = stage;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return stage.hit(event.clientX - box.left, event.clientY - box.top);
    };
    canvas.onpointermove = canvas.onpointerdown = (event) => this.point(at(event));
    canvas.onpointerleave = () => this.point(null);
    canvas.onclick = (event) => {
      const place = at(event);
      canvas.focus({ preventScroll: true });  // JupyterLab has taken it to the cell
      if (place) this.pick(place);
    };
    canvas.onblur = () => this.point(null);
    canvas.onkeydown = (event) => {
      const here = this.pointed ?? this.picked.at(-1), arrow = ARROWS[event.key];
      if (arrow) this.point(stage.next(here, ...arrow));
      else if (event.key === "PageUp" || event.key === "PageDown") {
        const layer = here.layer + (event.key === "PageUp" ? -1 : 1);
        const known = this.picked.find((place) => place.layer === layer);
        if (layer >= 0 && layer <= this.net.last) this.point(known ?? { layer, node: 0 });
      } else if (event.key === "Enter" || event.key === " ") this.pick(here);
      else return;
      event.preventDefault();
    };
    for (const button of root.querySelectorAll("[data-do]")) {
      button.onclick = () => {
        model.send({ do: button.dataset.do });
        this.foretell(button.dataset.do === "step" ? 1 : -1);
      };
    }
    for (const name of ["moment", "example"]) {
      find(`.${name} input`).oninput = (event) => {
        const value = Number(event.target.value);
        model.set(name, value);
        model.save_changes();
        this.foretell(0, { [name]: value });
      };
    }
    for (const look of LOOKS) {
      const label = make(find(".looks"), "label");
      const radio = make(label, "input", { type: "radio", checked: look === this.look });
      make(label, "span", { textContent: look });
      radio.onchange = () => { this.look = look; this.stage.show(this.net, look); this.show(); };
    }
    const name = `look${Math.random()}`;  // a panel's own, so that two do not share one choice
    for (const radio of find(".looks").querySelectorAll("input")) radio.name = name;
    find(".nudge").onclick = () => {
      const { layer, node, from } = this.place;
      const [kind, place] = from !== undefined ? ["weights", [from, node]]
        : layer ? ["biases", [node]] : ["inputs", [node]];
      const { net, ahead } = this, what = { kind, layer: Math.max(layer - 1, 0), place };
      this.nudged = net.slope(this.place);
      model.send({ do: "nudge", ...what });
      if (ahead.right) this._say_nudged(ahead.nudge(net.example, what));
    };
  }

  point(place) {
    if (place === this.pointed || same(place, this.pointed)) return;
    this.pointed = place;
    this._link(place ? [place] : []);
    this.say();
    this.draw();
  }

  say() {
    const { net, pointed } = this;
    if (!pointed) {
      this.find(".says").textContent = net.tiny
        ? "Point at a weight or a node, and click. In a node: what it says, and its blame."
        : "Point at a node or a pixel, and click. Then click one of the next layer: the weight "
          + "between them.";
      return;
    }
    const { layer, node, from } = pointed, slope = written(net.slope(pointed), 4, "+");
    this.find(".says").textContent = from !== undefined
      ? `${net.name(pointed)}: ${written(net.weight(pointed))}, slope ${slope}`
      : `${net.name(pointed)}${layer || !net.side ? "" : ", row and column"}: ${
        layer ? "activation" : "value"} ${written(net.a[layer][node])}, ${
        layer ? "blame δ" : "slope"} ${slope}`;
  }

  _say_nudged(losses) {
    const says = this.find(".try span"), { push } = this.net;
    if (!losses) { says.textContent = ""; return; }
    const moved = losses[1] - losses[0];
    says.innerHTML = `The loss moves by <b>${written(moved, 4, "+")}</b>; slope × ${push} is <b>${
      written(this.nudged * push, 4, "+")}</b>.`;
  }

  // Around it

  draw() {
    this.stage.draw(this);
  }

  fit(width = this.width) {  // to another width, or to other colours
    const { root } = this, [r, g, b] = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
    this.width = Math.floor(width);
    root.classList.toggle("dark", r + g + b > 382);  // if its letters are light
    this.stage.dress(getComputedStyle(root));
    if (this.width) this.stage.layout(this.width);
    this.show();
    const still = root.closest(".jp-OutputArea-child")?.previousElementSibling;
    if (still) still.style.display = "none";  // it is for where no kernel is
  }

  _still() {  // what is seen when no kernel is there: the stage, and the chain as text
    const { canvas, dpr, height, width, ink, face } = this.stage, { root } = this;
    const lines = [...root.querySelectorAll(".what, .loss, h4, .slope, [role=row]")];
    const still = make(root, "canvas", { width: canvas.width });
    still.remove();
    still.height = canvas.height + dpr * (20 * lines.length + 12);
    const pen = still.getContext("2d");
    pen.fillStyle = root.classList.contains("dark") ? "#111111" : "#ffffff";
    pen.fillRect(0, 0, still.width, still.height);
    pen.drawImage(canvas, 0, 0);
    pen.scale(dpr, dpr);
    pen.font = `${LABEL}px ${face}`;
    pen.fillStyle = ink;
    const texts = lines.map((line) => {
      const parts = line.children.length > 2 ? [...line.children] : [line];
      return parts.map((part) => part.textContent).filter(Boolean).join("   ");
    });
    texts.forEach((text, n) => pen.fillText(text, 0, height + 20 * (n + 1), width));
    const alt = texts.filter(Boolean).join("; ");
    still.toBlob((blob) => {
      const file = new FileReader();
      file.onload = () => {
        const png = file.result.split(",")[1];
        if (png !== this.kept) this.model.send({ do: "still", png: this.kept = png, alt });
      };
      file.readAsDataURL(blob);
    });
  }
}

function render({ model, el }) {
  const root = make(el, "div"), panel = root.panel = new Blame(model, root);
  const load = () => panel.load(), told = (message) => panel._say_nudged(message.losses);
  const dress = () => panel.fit(), let_go = own_keys(root);
  model.on("change:numbers", load);
  model.on("msg:custom", told);
  const sizes = new ResizeObserver(([{ contentRect: { width } }]) => {
    if (Math.floor(width) !== panel.width) panel.fit(width);  // not for another height
  });
  sizes.observe(root);
  const themes = new MutationObserver(() => setTimeout(dress, 300));  // JupyterLab's has to load
  themes.observe(document.body, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", dress);
  return () => {
    model.off("change:numbers", load);
    model.off("msg:custom", told);
    sizes.disconnect();
    themes.disconnect();
    dark.removeEventListener("change", dress);
    let_go();
    clearTimeout(panel.resting);
  };
}

export default { render };
