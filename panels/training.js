// The training panel: shows what the kernel sends (with the pictures of training_draw.js, which
// stands before this file), and tells it what you move and press.

const LOST = "The kernel has stopped or was restarted. This is the last picture: run the cell "
  + "again to play on.";
const TRIES = {  // experiments at a click: what differs from the first values of the knobs
  "a rate too large": { learning_rate: 20, epochs: 5 },
  "fifty digits by heart": { learning_rate: 2, digits: 50, epochs: 150, batch_size: 4 },
  "as it was": {},
};

const percent = (share) => `${(100 * share).toFixed(1)} %`;

// Calls `does` with what was typed, after Enter or when the field is left. Returns a function that
// puts a value into the field, unless somebody is typing there.
function typed(field, does) {
  let before = "";
  const done = () => field.value !== before && does(before = field.value);
  field.onkeydown = (event) => { if (event.key === "Enter") done(); };  // false would end typing
  field.onblur = done;
  return (value) => {
    if (document.activeElement !== field || field.value === before) {
      field.value = before = String(value);
    }
  };
}

function render({ model, el }) {
  const fixed = model.get("fixed"), root = make(el, "div", { className: "training-panel" });
  const let_go = own_keys(root);
  let shown = model.get("shown"), colors, asked = shown.heard, sent = 0, still, silent;
  const waiting = new Map(), pictures = [];

  function ask(message) {  // one question at a time; what was overtaken meanwhile is not asked
    const older = waiting.get(message.do), knobs = { ...older?.knobs, ...message.knobs };
    waiting.set(message.do, { ...message, knobs });
    if (asked <= shown.heard || performance.now() - sent > 3000) next();
  }
  function next() {
    const [what, message] = waiting.entries().next().value ?? [];
    if (!what) return;
    waiting.delete(what);
    asked = Math.max(asked, shown.heard) + 1;
    sent = performance.now();
    clearTimeout(silent);
    silent = setTimeout(() => { says.textContent = SILENT; }, 5000);
    model.send({ ...message, id: asked });
  }

  const head = make(root, "div", { className: "head" });
  const right = make(make(head, "div"), "strong");
  const count = fixed.count.toLocaleString("en");
  make(right.parentNode, "span", { textContent: `right, of ${count} held out` });
  const says = make(head, "p", { role: "status" });
  const stage = make(root, "div", { className: "pictures" });
  function picture(name, title, draw, ratio) {
    const figure = make(stage, "figure", { className: name });
    make(figure, "figcaption", { innerHTML: title });
    const canvas = make(figure, "canvas", { role: "img" });
    pictures.push({ canvas, draw, ratio, figure });
    return canvas;
  }
  picture("curve", "Digits <b>━ held out</b> <b>┅ trained on</b>",
    draw_curve, () => Math.max(230, stage.querySelector(".hidden").clientWidth));
  picture("hidden", 'Hidden nodes: <b class="up">■ pulls up</b> <b class="down">■ down</b>',
    draw_hidden, (w) => w);
  picture("confusion", 'Held out: <b class="wrong">✗ mistakes</b>', draw_confusion, (w) => w);
  picture("answers", "Ten of them, its ten outputs for each, and below: what it imagines, 0 to 9",
    draw_answers, (w) => {
      const { columns, tall } = answers_layout(w, fixed.labels.length);
      return tall * Math.ceil(fixed.labels.length / columns);
    });

  const bar = make(root, "div", { className: "bar" });
  const button = (textContent, onclick, className = "") => make(
    bar, "button", { type: "button", textContent, onclick, className });
  const go = button("Train", () => ask({ do: shown.busy ? "stop" : "train" }), "main");
  const time = make(bar, "label", { className: "time" });
  make(time, "span", { textContent: "time" });
  const clock = make(time, "input", { type: "range", min: 0, step: 1 });
  const epoch = make(time, "output");
  clock.oninput = () => ask({ do: "moment", at: +clock.value });
  button("Start over", () => ask({ do: "reset" }));
  const keep = button("Keep curve", () => ask({ do: "keep" }));

  const controls = {};
  const near = make(root, "div", { className: "knobs" });
  const tries = make(root, "p", { textContent: "Try: ", className: "tries" });
  const first = Object.fromEntries(fixed.knobs.map(([name, , value]) => [name, value]));
  for (const [name, knobs] of Object.entries(TRIES)) {
    make(tries, "button", { type: "button", textContent: name,
      onclick: () => ask({ do: "turn", knobs: { ...first, ...knobs } }) });
  }
  const more = make(root, "details");
  make(more, "summary", { textContent: "more" });
  const far = make(more, "div", { className: "knobs" });
  fixed.knobs.forEach(([name, label, , low, high, log, whole], k) => {
    const knob = make(k < 3 ? near : far, "div", { className: "knob" });
    const place = (value) => log ? Math.log10(value) : value;
    const step = log ? 0.01 : whole ? 1 : high / 100;
    make(knob, "span", { textContent: label });
    const field = make(knob, "input", { type: "text", inputMode: "decimal" });
    const slider = make(knob, "input", {
      type: "range", min: place(low), max: place(high), step: log ? "any" : step });
    field.setAttribute("aria-label", label);
    slider.setAttribute("aria-label", label);
    const turn = (value) => ask({ do: "turn", knobs: { [name]: value } });
    slider.oninput = () => {
      const exact = log ? 10 ** slider.value : +slider.value;
      const value = whole ? Math.round(exact) : exact;
      const short = log && value > 100 ? +value.toPrecision(2) : whole ? value
        : +value.toPrecision(2);
      set(Math.min(high, Math.max(low, short)));
      turn(controls[name].value);
    };
    slider.onkeydown = (event) => {  // one step of a whole number, or of the scale's hundredths
      const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!way || !log) return;
      event.preventDefault();
      const { value } = controls[name], factor = 10 ** (way * 0.05);
      const there = whole ? value + way * Math.max(1, Math.round(value * 0.1)) : value * factor;
      set(Math.min(high, Math.max(low, whole ? there : +there.toPrecision(2))));
      turn(controls[name].value);
    };
    const put = typed(field, turn);
    const set = (value) => {
      controls[name].value = value;
      slider.value = place(value);
      slider.setAttribute("aria-valuetext", value.toLocaleString("en"));
      put(value);
    };
    controls[name] = { set };
  });
  const text = (label, read) => {
    const row = make(more, "label", { className: "text" });
    make(row, "span", { textContent: label });
    return make(row, "input", { type: "text", readOnly: read, spellcheck: false });
  };
  const settings = text("These settings, to hand on or to paste", false);
  const python = text("The same in Python, to the last bit", true);
  const put_settings = typed(settings, (text) => ask({ do: "settings", text }));
  python.onfocus = () => python.select();

  function draw() {
    if (!colors) return;  // not yet in the page
    for (const { canvas, draw: paint, ratio, figure } of pictures) {
      const w = figure.clientWidth, h = Math.round(ratio(w)), dense = devicePixelRatio;
      if (!w) continue;
      canvas.style.height = `${h}px`;
      if (canvas.width !== Math.round(w * dense)) canvas.width = Math.round(w * dense);
      if (canvas.height !== Math.round(h * dense)) canvas.height = Math.round(h * dense);
      const ink = canvas.getContext("2d");
      ink.setTransform(dense, 0, 0, dense, 0, 0);
      ink.clearRect(0, 0, w, h);
      ink.font = `12px ${getComputedStyle(root).fontFamily}`;
      paint(ink, w, h, shown, colors, fixed);
    }
  }

  function show() {
    shown = model.get("shown");
    const { points, moment, before } = shown, point = points[moment];
    right.textContent = percent(point[4]);
    says.textContent = shown.warning || shown.says;
    says.classList.toggle("wrong", Boolean(shown.warning));
    root.classList.toggle("busy", shown.busy);
    root.classList.remove("lost");
    says.setAttribute("aria-live", shown.busy ? "off" : "polite");
    clock.max = points.length - 1;
    if (!waiting.has("moment") && asked <= shown.heard) clock.value = moment;
    epoch.textContent = `epoch ${clock_of(point[0])}`;
    clock.setAttribute("aria-valuetext", `${epoch.textContent}, ${percent(point[4])} right`);
    clock.setAttribute("aria-label", "time");
    go.textContent = shown.busy ? "Pause" : "Train";
    keep.setAttribute("aria-pressed", shown.kept);
    if (!waiting.has("turn") && asked <= shown.heard) {
      for (const [name, value] of Object.entries(shown.knobs)) controls[name].set(value);
    }
    const differ = before && fixed.knobs.filter(
      ([name]) => before.knobs[name] !== shown.knobs[name]);
    shown.earlier = !before || !differ.length ? "the same before" : differ.slice(0, 2).map(
      ([name, label]) => `${label.split(",")[0]} ${before.knobs[name]}`).join(", ");
    put_settings(shown.settings);
    python.value = shown.python;
    draw();
    root.dataset.heard = shown.heard;
    root.dataset.moments = points.length;
    if (asked <= shown.heard) clearTimeout(silent), next();
    clearTimeout(still);
    if (!shown.busy) still = setTimeout(rest, 900);
  }

  function rest() {  // for those who listen, and for a page without a kernel
    const [at, loss, , held] = shown.points[shown.moment];
    const texts = [
      `Loss and share of right answers over ${shown.points.at(-1)[0].toFixed(1)} epochs: at epoch `
        + `${at.toFixed(1)} the loss is ${held.toFixed(3)} held out, ${loss.toFixed(3)} trained on`,
      "The weights into each hidden node, as pictures",
      "How often each held-out digit was read as each digit",
      fixed.labels.map((label, k) => `a ${label} is read as `
        + `${shown.read[k]}`).join(", "),
    ];
    pictures.forEach(({ canvas }, k) => canvas.setAttribute("aria-label", texts[k]));
    const beside = el.closest(".jp-OutputArea-child")?.nextElementSibling;  // hidden by the CSS
    if (!beside || shown.points.length < 2) return;
    model.send({ do: "still", png: photograph(), alt: texts.join(". ") });
  }

  function photograph() {  // the pictures, with the words above them, as PNG in base64
    const around = root.getBoundingClientRect(), sheet = document.createElement("canvas");
    const scale = Math.min(2, 1200 / around.width), top = stage.getBoundingClientRect();
    [sheet.width, sheet.height] = [around.width * scale, (top.bottom - around.top + 8) * scale];
    const ink = sheet.getContext("2d");
    ink.scale(scale, scale);
    ink.fillStyle = colors.page;
    ink.fillRect(0, 0, around.width, around.height);
    const family = getComputedStyle(root).fontFamily;
    for (const [part, size, ] of [[right, 28], [says, 14]]) {
      const box = part.getBoundingClientRect();
      ink.font = `${size}px ${family}`;
      ink.fillStyle = colors.ink;
      ink.textBaseline = "top";
      ink.fillText(part.textContent, box.left - around.left, box.top - around.top, box.width);
    }
    for (const { canvas, figure } of pictures) {
      const box = canvas.getBoundingClientRect(), caption = figure.firstChild;
      ink.font = `13px ${family}`;
      for (const part of caption.childNodes) {
        const place = document.createRange();
        place.selectNode(part);
        const name = place.getBoundingClientRect();
        ink.fillStyle = getComputedStyle(part.tagName ? part : caption).color;
        ink.fillText(part.textContent, name.left - around.left, name.top - around.top + 2);
      }
      ink.drawImage(canvas, box.left - around.left, box.top - around.top, box.width, box.height);
    }
    return sheet.toDataURL("image/png").split(",")[1];
  }

  function theme() {
    if (root.isConnected) colors = colors_of(root);
    draw();
  }
  function lose() {  // the kernel has gone, or has come back: only an answer can tell
    root.classList.add("lost");
    says.textContent = LOST;
    asked += 1;
    model.send({ do: "hello", id: asked });
  }
  const size = new ResizeObserver(theme), looks = new MutationObserver(theme);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  size.observe(root);
  looks.observe(document.body, { attributes: true });
  dark.addEventListener("change", theme);
  model.on("change:shown", show);
  model.on("comm_live_update", lose);
  show();
  return () => {
    let_go();
    clearTimeout(still), clearTimeout(silent);
    size.disconnect(), looks.disconnect();
    dark.removeEventListener("change", theme);
    model.off("change:shown", show), model.off("comm_live_update", lose);
  };
}

export default { render };
