// The pictures of the training panel: each a function of (context, width, height, what is shown,
// colours, what stays). Nothing is computed here. Colours: orange pulls a node up, blue pulls it
// down, violet is a mistake, and has a cross beside it.

const TOP = 0.5;  // of the loss axis, the same for all runs: so nothing jumps


function bytes(text) {  // of base64; a loop, as it is ten times as fast as Uint8Array.from
  const letters = atob(text), found = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) found[i] = letters.charCodeAt(i);
  return found;
}

function draw_plot(ink, x0, y0, w, h, colors, { name, top, form, lines, end, at, gap, lowest }) {
  const x = (epoch) => x0 + w * epoch / end, y = (value) => y0 + h * (1 - value / top);
  const line = (points, column) => {
    ink.beginPath();
    points.forEach((point) => ink.lineTo(x(point[0]), y(point[column])));
  };
  ink.lineWidth = 1;
  ink.setLineDash([]);
  ink.textBaseline = "middle";
  for (const part of [0, 0.5, 1]) {
    ink.strokeStyle = colors.rule;
    ink.strokeRect(x0, Math.round(y(part * top)) + 0.5, w, 0);
    ink.fillStyle = colors.soft;
    ink.textAlign = "right";
    ink.fillText(form(part * top), x0 - 6, y(part * top));
  }
  ink.save();
  ink.beginPath();
  ink.rect(x0, y0 - 2, w + 3, h + 4);
  ink.clip();
  if (gap) {  // what it knows of the digits it trains on, and not of others
    const [points, [seen, held]] = gap;
    line(points, held);
    points.toReversed().forEach((point) => ink.lineTo(
      x(point[0]), y(Math.min(point[seen], point[held]))));
    ink.fillStyle = colors.wrong;
    ink.globalAlpha = 0.16;
    ink.fill();
    ink.globalAlpha = 1;
  }
  for (const [points, column, style] of lines) {
    line(points, column);
    ink.strokeStyle = style.pale ? colors.pale : colors.ink;
    ink.lineWidth = style.thin ? 1.25 : 2.25;
    ink.setLineDash(style.thin ? [3, 3] : []);
    ink.stroke();
    if (points.length === 1 || style.dot) {
      const [epoch, value] = [points[0][0], points[0][column]];
      ink.fillStyle = style.pale ? colors.pale : colors.ink;
      ink.fillRect(x(epoch) - 1, y(Math.min(value, top)) - 3, 6, 6);
    }
  }
  ink.setLineDash([]);
  ink.fillStyle = ink.strokeStyle = colors.wrong;
  if (lowest) {  // where it should have stopped
    const [left, low] = [x(lowest[0]), y(lowest[3])];
    ink.setLineDash([2, 3]);
    ink.lineWidth = 1;
    ink.strokeRect(left, Math.round(low) + 0.5, w, 0);
    ink.setLineDash([]);
    ink.fillRect(left - 3, low - 3, 7, 7);
    ink.textAlign = "left";
    const said = `lowest: ${lowest[3].toFixed(3)}, epoch ${clock_of(lowest[0])}`;
    ink.fillText(said, left + 8, low + 12);
  }
  ink.strokeStyle = colors.ink;
  ink.lineWidth = 1;
  ink.strokeRect(Math.round(x(at)) + 0.5, y0, 0, h);
  ink.restore();
  ink.fillStyle = colors.ink;
  ink.textAlign = "right";
  ink.fillText(name, x0 + w - 6, name === "loss" ? y0 + 10 : y0 + h - 10);
}

const clock_of = (epoch) => epoch.toFixed(epoch < 10 ? 2 : epoch < 100 ? 1 : 0);

function draw_curve(ink, w, h, shown, colors) {
  const { points, before, moment } = shown, left = 46, at = points[moment][0];
  const end = Math.max(shown.until, before ? before.points.at(-1)[0] : 0);
  const lines = (seen, held) => [
    ...(before ? [[before.points, seen, { thin: true, pale: true }],
      [before.points, held, { pale: true }]] : []),
    [points, seen, { thin: true }], [points, held, { dot: true }],
  ];
  const split = Math.round((h - 36) * 0.6), shared = { end, at };
  draw_plot(ink, left, 8, w - left - 8, split, colors, {
    ...shared, name: "loss", top: TOP, lines: lines(1, 3), gap: [points, [1, 3]],
    lowest: shown.lowest === null ? null : points[shown.lowest],
    form: (loss) => loss.toFixed(2),
  });
  draw_plot(ink, left, split + 24, w - left - 8, h - split - 46, colors, {
    ...shared, name: "right", top: 1, lines: lines(2, 4),
    form: (share) => `${Math.round(100 * share)} %`,
  });
  ink.fillStyle = colors.soft;
  if (before) ink.fillText(`pale: ${shown.earlier}`, w - 14, 34, w - 70);
  ink.textAlign = "left";
  ink.fillText("0", left, h - 8);
  ink.textAlign = "right";
  ink.fillText(`${Math.round(end)} epochs`, w - 8, h - 8);
}

function mixture(from, to, share) {  // as one number: a pixel
  const bytes = from.map((part, k) => part + (to[k] - part) * share);
  return new Uint32Array(Uint8ClampedArray.of(...bytes, 255).buffer)[0];
}

function rgb(color) {  // any CSS colour as three numbers
  const ink = new OffscreenCanvas(1, 1).getContext("2d");
  ink.fillStyle = color;
  ink.fillRect(0, 0, 1, 1);
  return [...ink.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// Pictures (n, side * side) in a grid, a pixel apart; `palette` gives each byte its colour
function grid(pictures, side, columns, palette) {
  const size = side ** 2, n = pictures.length / size, rows = Math.ceil(n / columns);
  const sheet = new OffscreenCanvas(columns * (side + 1) - 1, rows * (side + 1) - 1);
  const ink = sheet.getContext("2d"), one = ink.createImageData(side, side);
  const pixels = new Uint32Array(one.data.buffer);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < size; i++) pixels[i] = palette[pictures[k * size + i]];
    ink.putImageData(one, (k % columns) * (side + 1), Math.floor(k / columns) * (side + 1));
  }
  return sheet;
}

function draw_hidden(ink, w, h, shown, colors, fixed) {
  const pictures = bytes(shown.hidden), n = pictures.length / fixed.side ** 2;
  const sheet = grid(pictures, fixed.side, Math.ceil(Math.sqrt(n)), colors.weights);
  const side = Math.min(w, h);
  ink.imageSmoothingEnabled = sheet.width > side * devicePixelRatio;
  ink.drawImage(sheet, 0, 0, side, side * sheet.height / sheet.width);
}

function draw_confusion(ink, w, h, shown, colors) {
  const left = 34, side = (Math.min(w, h) - left) / 10;
  ink.textAlign = "center";
  ink.textBaseline = "middle";
  ink.font = ink.font.replace(/[\d.]+px/, `${Math.min(12, Math.max(9, 0.5 * side))}px`);
  ink.fillStyle = colors.soft;
  ink.fillText("it says", left + 5 * side, 7);
  ink.save();
  ink.rotate(-Math.PI / 2);
  ink.fillText("the digit is", -left - 5 * side, 7);
  ink.restore();
  for (const n of numbers(10)) {
    ink.fillText(n, left + (n + 0.5) * side, 25);
    ink.fillText(n, 25, left + (n + 0.5) * side);
  }
  shown.confusion.forEach((count, k) => {
    const row = Math.floor(k / 10), column = k % 10, mistake = row !== column;
    const strength = mistake ? Math.min(1, Math.sqrt(count / 40)) : 0;
    const x = left + column * side, y = left + row * side;
    ink.fillStyle = colors.tile;
    ink.fillRect(x, y, side - 1, side - 1);
    ink.globalAlpha = strength;
    ink.fillStyle = colors.wrong;
    ink.fillRect(x, y, side - 1, side - 1);
    ink.globalAlpha = 1;
    ink.fillStyle = strength > 0.6 ? colors.page : mistake ? colors.ink : colors.soft;
    if (count && side > 14) ink.fillText(count, x + side / 2 - 0.5, y + side / 2 + 0.5);
  });
}

function answers_layout(w, count) {  // in one row, or two where it is narrow
  const columns = w < 560 ? Math.ceil(count / 2) : count, gap = 10;
  const side = Math.min(w < 560 ? 52 : 80, (w - gap * (columns - 1)) / columns);
  return { columns, side, step: (w + gap) / columns, tall: 2 * side + 66 };
}

function draw_answers(ink, w, h, shown, colors, fixed) {
  const digits = bytes(fixed.digits), imagined = bytes(shown.imagined), size = fixed.side ** 2;
  const { columns, side, step, tall } = answers_layout(w, fixed.labels.length);
  const paper = (pictures, k, x, y) => {
    const one = grid(pictures.slice(k * size, (k + 1) * size), fixed.side, 1, colors.paper);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(one, x, y, side, side);
    ink.strokeStyle = colors.rule;
    ink.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
  };
  ink.textAlign = "left";
  ink.textBaseline = "top";
  fixed.labels.forEach((label, k) => {
    const x = (k % columns) * step, y = Math.floor(k / columns) * tall, below = y + side + 6;
    const outputs = shown.outputs[k], says = shown.read[k], wrong = says !== label;
    paper(digits, k, x, y);
    ink.fillStyle = wrong ? colors.wrong : colors.ink;
    ink.fillText(`${wrong ? "✗" : "✓"} ${side < 64 ? "" : "says "}${says}`, x, below);
    outputs.forEach((output, n) => {
      const width = side / outputs.length, height = Math.max(1, 24 * output);
      ink.fillStyle = n === label ? colors.ink : n === says ? colors.wrong : colors.soft;
      ink.fillRect(x + n * width, below + 42 - height, width - 1, height);
    });
    paper(imagined, label, x, below + 50);
  });
}

// --- Colours -------------------------------------------------------------------------------------

function colors_of(root) {
  const style = getComputedStyle(root), colors = {};
  for (const name of ["ink", "soft", "rule", "pale", "tile", "page", "wrong", "up", "down"]) {
    colors[name] = style.getPropertyValue(`--${name}`).trim();
  }
  const [tile, up, down, page] = ["tile", "up", "down", "sheet"].map(
    (name) => rgb(style.getPropertyValue(`--${name}`).trim()));
  colors.weights = numbers(256).map((byte) => {
    const weight = byte < 128 ? byte : byte - 256;
    return mixture(tile, weight > 0 ? up : down, Math.abs(weight) / 127);
  });
  colors.paper = numbers(256).map((byte) => mixture(page, [0, 0, 0], byte / 255));
  return colors;
}

