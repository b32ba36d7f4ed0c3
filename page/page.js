// The story below the stage, and what sets the page going.

const element = (id) => document.getElementById(id);
const file = (name) => bytes_of(element(name).textContent);
const speeds = {};

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

// -- 1 and 2: what it sees, what a node weighs

const AROUND = 3;  // squares to each side of the one pointed at, whose numbers are shown
const spot = { row: 13, column: 13 };

function show_numbers(stage) {
  const pixels = stage.image?.data ?? new Uint8Array(784), canvas = element("seen");
  paint(canvas, shares(pixels));
  const show = (row, column) => {
    const kept = (place) => Math.min(Math.max(place, AROUND), 27 - AROUND);
    Object.assign(spot, { row: kept(row), column: kept(column) });
    const cells = numbers((2 * AROUND + 1) ** 2).map((i) => {
      const down = Math.floor(i / (2 * AROUND + 1)) - AROUND, right = i % (2 * AROUND + 1) - AROUND;
      const pixel = pixels[(spot.row + down) * 28 + spot.column + right];
      const color = pixel > 135 ? "white" : pixel ? "#111" : "#666";
      return `<i style="background: rgb(0 0 0 / ${pixel / 255}); color: ${color}">${pixel}</i>`;
    });
    element("numbers").innerHTML = cells.join("");
    const side = 100 * (2 * AROUND + 1) / 28;
    element("spot").style.cssText = `width: ${side}%; height: ${side}%; `
      + `left: ${100 * (spot.column - AROUND) / 28}%; top: ${100 * (spot.row - AROUND) / 28}%`;
    const pixel = pixels[spot.row * 28 + spot.column];
    element("pixel").textContent = `Row ${spot.row + 1}, column ${spot.column + 1} holds ${pixel}. `
      + `The network gets it as ${(0.01 + pixel * 0.99 / 255).toFixed(2)}, of 0.01 to 1.00.`;
  };
  canvas.onpointermove = canvas.onpointerdown = (event) => {
    const box = canvas.getBoundingClientRect();
    show(Math.floor((event.clientY - box.top) / box.height * 28),
      Math.floor((event.clientX - box.left) / box.width * 28));
  };
  canvas.onkeydown = (event) => {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    show(spot.row + step[0], spot.column + step[1]);
    stage.speak(element("pixel").textContent);
  };
  show(spot.row, spot.column);
}

function show_node(stage) {
  const { node, net } = stage;
  const weights = column(net.weights[0], node), says = net.weights[1].row(node);
  const lit = stage.activations?.[1].data[node] ?? 0;
  const x = stage.activations?.[0].data ?? new Float32Array(784);
  paint_signs(element("weights"), weights);
  paint_signs(element("products"), weights.map((weight, i) => weight * x[i]));
  const own = net.biases[0].data[node], z = stage.activations && stage.z(node);
  element("node").textContent = `Node ${node}. ` + (stage.activations
    ? `Squares times weights add up to ${signed(z - own)}, its own number, the bias, is `
      + `${signed(own)}: together z = ${signed(z)}. The sigmoid makes ${lit.toFixed(2)} of it.`
    : "Draw a digit, and see what it makes of it.");
  const strongest = Math.max(...says.map(Math.abs));
  const listed = Array.from(says, (weight, k) => `${k}: ${signed(weight)}`).join(", ");
  element("votes").setAttribute("aria-label", `weights to the digits, ${listed}`);
  element("votes").replaceChildren();
  says.forEach((weight, k) => {
    const place = make(element("votes"), "span"), color = weight > 0 ? "--orange" : "--blue";
    for (const [share, opacity] of [[1, 0.3], [lit, 1]]) {
      const height = 52 * share * Math.abs(weight) / strongest;
      make(place, "i").style.cssText = `background: var(${color}); opacity: ${opacity}; `
        + `height: ${height}px; top: ${weight > 0 ? 55 - height : 56}px`;
    }
    make(place, "b", { textContent: k });
  });
}

// -- 3: backwards

const film = { frames: [], playing: null, seed: 0 };

const STRIP = [0, 10, 25, 50, 100, 200];  // steps that are shown side by side

function show_strip() {
  element("strip").replaceChildren();
  for (const step of STRIP) {
    const figure = make(element("strip"), "figure");
    const small = make(figure, "canvas", { width: 28, height: 28, className: "paper large" });
    paint(small, film.frames[step].data);
    make(figure, "figcaption", { textContent: `step ${step}` });
  }
}

function show_frame(net, step) {
  const frame = film.frames[step], outputs = net.outputs(frame), says = argmax(outputs.data);
  paint(element("picture"), frame.data);
  element("frame").value = step;
  element("imagined").textContent = `Step ${step} of 200: the network says ${says}, `
    + `with ${outputs.data[says].toFixed(2)}.`;
}

function play(stage, canvas, digit) {
  const { net } = stage, began = performance.now(), rng = new Random(film.seed++);
  film.frames = [];
  const keep = (_, images) => film.frames.push(images);
  film.frames.push(imagine(net, [digit], canvas, { rng, callback: keep }));
  show_strip();
  show_speeds({ film: performance.now() - began });
  [...element("named").children].forEach((button, k) => {
    button.setAttribute("aria-pressed", k === digit);
  });
  cancelAnimationFrame(film.playing);
  let step = calm ? 200 : 0;
  const next = () => {
    show_frame(net, step);
    if (step++ < 200) film.playing = requestAnimationFrame(next);
    else stage.speak(element("imagined").textContent);
  };
  next();
}

// -- 4: a newborn

const EPOCHS = 5;  // of a training
const lesson = { work: null, running: false, points: [], seed: 1, trained: 0 };

function newborn() {
  return new NeuralNetwork([784, 100, 10], { seed: lesson.seed++ });
}

function* taught(net, train, test) {  // five epochs; five times in each, held-out digits are read
  let due = net.epoch;
  for (const epoch of net.train(train.images, train.labels, { epochs: EPOCHS })) {
    yield;
    if (epoch < due + 0.2 - 1e-6) continue;
    due = epoch;
    let right = 0;
    for (let i = 0; i < test.labels.length; i += 50) {  // few at a time, as the page must draw
      const rows = numbers(50).map((k) => i + k);
      const says = net.predict(test.images.take(rows));
      right += says.filter((digit, k) => digit === test.labels[i + k]).length;
      yield;
    }
    lesson.points.push([epoch, right / test.labels.length]);
    show_curve(net);
  }
}

function show_curve(net) {
  const svg = element("curve"), width = svg.clientWidth || 600, right = width - 60;
  const last = Math.max(EPOCHS, Math.ceil(net.epoch - 1e-6));
  const x = (epoch) => right * epoch / last, y = (share) => 188 - 176 * share;
  svg.setAttribute("viewBox", `0 0 ${width} 200`);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) =>
    `<line x1="0" x2="${right}" y1="${y(share)}" y2="${y(share)}"/>`
    + `<text x="${right + 8}" y="${y(share) + 5}">${100 * share} %</text>`);
  const points = lesson.points.map(([epoch, share]) => `${x(epoch)} ${y(share)}`);
  svg.innerHTML = `${grid.join("")}<polyline points="${points.join(" ")}"/>`;
}

function show_progress(net) {
  const seen = Math.round(net.epoch * 12000).toLocaleString("en"), at = lesson.points.at(-1);
  element("progress").textContent = net.epoch
    ? `It has seen ${seen} digits`
      + `${at ? `, and reads ${(100 * at[1]).toFixed(1)} % right of those held out` : ""}.`
    : "It has seen nothing yet.";
  element("train").textContent = lesson.running ? "Stop" : net.epoch ? "Go on" : "Train";
}

function run(stage, digits) {  // a slice of work, then a picture, and so on
  lesson.running = true;
  lesson.work ??= taught(stage.net, digits.train, digits.test);
  let began = performance.now(), start = stage.net.epoch, slices = 0;
  const slice = () => {
    if (!lesson.running) return;
    const end = performance.now() + 28;
    let done = false;
    while (!done && performance.now() < end) done = lesson.work.next().done;
    if (done) Object.assign(lesson, { work: null, running: false });
    if (done || slices++ % 8 === 0) stage.look();
    show_progress(stage.net);
    show_speeds({ epoch: (performance.now() - began) / (stage.net.epoch - start) / 3 });
    if (!done) return requestAnimationFrame(slice);
    stage.tell();
    stage.speak(element("progress").textContent);
  };
  slice();
}

// -- The page

const THREE = [  // what is written to begin with
  [85, 75], [110, 52], [145, 46], [178, 60], [186, 90], [165, 118], [130, 132], [165, 142],
  [194, 166], [192, 204], [162, 230], [122, 232], [86, 212],
];

async function begin() {
  const net = load(file("digits.npz")), canvas = read_npz(file("canvas.npz"));
  const stage = new Stage(element("trained"), net, { changed: (changed) => {
    show_numbers(changed);
    show_node(changed);
    show_speeds(changed.took);
  } });
  stage.pick(0);
  show_speeds({ ready: performance.now() });
  element("previous").onclick = () => stage.pick((stage.node + 99) % 100);
  element("next").onclick = () => stage.pick((stage.node + 1) % 100);
  stage.sheet.write(THREE).then(() => {
    if (!stage.sheet.example) return;
    stage.pick(stage.entries(stage.digit)[0][0]);  // one that has much to say
  });

  numbers(10).forEach((digit) => {
    const button = make(element("named"), "button", { type: "button", textContent: digit });
    button.setAttribute("aria-label", `imagine a ${digit}`);
    button.onclick = () => play(stage, canvas, digit);
  });
  element("frame").oninput = (event) => {
    cancelAnimationFrame(film.playing);
    if (film.frames.length) show_frame(net, Number(event.target.value));
  };
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    if (!film.frames.length) play(stage, canvas, 3);
  }).observe(element("picture"));

  const young = new Stage(element("newborn"), newborn());
  young.sheet.write(THREE);
  show_curve(young.net);
  const [train, test] = await Promise.all(
    ["sample_train.csv.gz", "sample_test.csv.gz"].map((name) => read_digits(file(name))));
  stage.sheet.offer(test.images);
  young.sheet.offer(test.images);
  element("train").onclick = () => {
    if (!lesson.running) return run(young, { train, test });
    lesson.running = false;
    show_progress(young.net);
  };
  element("reset").onclick = () => {
    Object.assign(lesson, { work: null, running: false, points: [] });
    young.use(newborn());
    show_curve(young.net);
    show_progress(young.net);
  };
  Object.assign(window, { stage, young, train, test, canvas });  // to play with in the console
  document.documentElement.dataset.ready = "yes";
}

begin();
