// A drawing of a digit, made to look like MNIST's. As prepare in handwriting.py.
//
// Left out: what a photo needs. On our sheet the paper is white, the ink black, the light even.
// (So a stroke along the border, which may pass for a shadow in a photo, is ink here.)

const STROKE = [2.5, 4.0];  // width of a stroke in pixels of the 20 x 20 box
const BLANK = "Draw a digit, 0 to 9, with mouse, finger or arrow keys.";
const SMALL = "There is nearly nothing on the sheet. Draw a digit, larger.";
const LINES = "Lines or a blot cannot be told from a digit. Draw one digit, larger, or with a "
  + "thinner pen.";

class NoDigit extends Error {}

class Grid {  // height x width numbers, row after row
  constructor(height, width, data = new Float32Array(height * width)) {
    Object.assign(this, { height, width, data });
  }

  box(level) {  // of all that is above the level: [top, left, bottom, right], ends included
    let [top, left, bottom, right] = [this.height, this.width, -1, -1];
    for (let i = 0, row = 0; row < this.height; row++)
      for (let column = 0; column < this.width; column++, i++) {
        if (!(this.data[i] > level)) continue;
        top = Math.min(top, row), bottom = row;
        left = Math.min(left, column), right = Math.max(right, column);
      }
    return [top, left, bottom, right];
  }

  cut([top, left, bottom, right]) {  // also beyond the edges, where 0 is
    const part = new Grid(bottom - top + 1, right - left + 1);
    for (let row = Math.max(top, 0); row <= Math.min(bottom, this.height - 1); row++)
      for (let column = Math.max(left, 0); column <= Math.min(right, this.width - 1); column++)
        part.data[(row - top) * part.width + column - left] = this.data[row * this.width + column];
    return part;
  }

  padded(margin) {
    return this.cut([-margin, -margin, this.height - 1 + margin, this.width - 1 + margin]);
  }
}

function prepare(grey) {  // Grid of 0..255, 255 = paper -> bytes (1, 784); or NoDigit is thrown
  const digit = _stroke_like_mnist(_digit(_ink(grey)));
  const scale = 20 / Math.max(digit.height, digit.width);
  const [height, width] = [digit.height, digit.width].map((n) => Math.max(1, rint(n * scale)));
  const small = _box_resized(digit, height, width);
  let mass = 0, down = 0, right = 0;
  small.data.forEach((number, i) => {
    mass += number, down += number * Math.floor(i / width), right += number * (i % width);
  });
  const place = (centre, length) => Math.min(Math.max(rint(14 - centre), 0), 28 - length);
  const row = place(down / mass, height), column = place(right / mass, width);
  const strongest = Math.max(...small.data), image = new Uint8Array(784);
  small.data.forEach((number, i) => {
    image[(row + Math.floor(i / width)) * 28 + column + i % width] = rint(number * 255 / strongest);
  });
  return new Matrix(1, 784, image);
}

function _ink(grey) {  // how much darker each pixel is than the paper
  return new Grid(grey.height, grey.width, grey.data.map((number) => 255 - number));
}

function _digit(ink) {  // where the digit is: a Grid of 0 and 1, 200 or more on its longer side
  const start = 8;  // grey levels; our paper has no noise
  const size = Math.max(ink.height, ink.width);
  const [top, left, bottom, right] = ink.box(start);
  if (bottom < top) throw new NoDigit(BLANK);
  ink = ink.cut([Math.max(top - 1, 0), Math.max(left - 1, 0),  // a little paper around, if there is
    Math.min(bottom + 1, ink.height - 1), Math.min(right + 1, ink.width - 1)]);
  let level = start, strength = 0;
  for (let round = 0; round < 20; round++) {  // ink begins at half of its own typical strength
    let sum = 0, squares = 0;
    for (const number of ink.data) if (number > level) sum += number, squares += number * number;
    strength = sum ? squares / sum : 0;
    if (level === Math.max(start, strength / 2)) break;  // it would stay as it is
    level = Math.max(start, strength / 2);
  }
  if (strength < 2 * start) throw new NoDigit(SMALL);

  const { pieces, found } = _pieces(ink, level);  // leave out specks, and what is along the border
  const most = Math.max(...found.map((piece) => piece.mass));
  const largest = found.find((piece) => piece.mass === most);
  if (largest.extent() < Math.max(3, size / 50)) throw new NoDigit(SMALL);
  found.forEach((piece) => { piece.keep = piece.mass >= 0.03 * most; });
  const kept = (touching) => found.filter((piece) => piece.keep && piece.touching === touching)
    .reduce((sum, piece) => sum + piece.mass, 0);
  if (kept(false) > kept(true) / 4)
    found.forEach((piece) => { piece.keep &&= !piece.touching; });
  const kept_at = (i) => pieces.data[i] > 0 && found[pieces.data[i] - 1].keep;
  const along = _border(ink).map(kept_at);  // a digit leaves the picture less often
  if (along.filter((is, i) => is && !along[i - 1]).length > 6) throw new NoDigit(LINES);
  const clean = new Grid(ink.height, ink.width, ink.data.map(
    (number, i) => (pieces.data[i] > 0 && !kept_at(i) ? 0 : number)));
  const [first, before, last, behind] = clean.box(level);
  const large = _zoomed(clean.cut([first - 1, before - 1, last + 1, behind + 1]));
  const digit = new Grid(large.height, large.width, large.data.map((number) => number > level));
  return digit.cut(digit.box(0));
}

function _border({ height, width }) {  // the pixels along it, once around
  const [across, down] = [width, height].map((n) => Array.from({ length: n }, (_, i) => i));
  return [...across, ...down.map((row) => row * width + width - 1),
    ...across.map((i) => height * width - 1 - i), ...down.map((row) => (height - 1 - row) * width)];
}

function _pieces(ink, level) {  // what hangs together, also over corners
  const { height, width } = ink, pieces = new Grid(height, width, new Int32Array(height * width));
  const found = [];
  for (let first = 0; first < ink.data.length; first++) {
    if (!(ink.data[first] > level) || pieces.data[first]) continue;
    const piece = { mass: 0, touching: false, top: height, left: width, bottom: 0, right: 0 };
    piece.extent = () => 1 + Math.max(piece.bottom - piece.top, piece.right - piece.left);
    const number = found.push(piece), open = [first];
    pieces.data[first] = number;
    while (open.length) {
      const i = open.pop(), row = Math.floor(i / width), column = i % width;
      piece.mass += ink.data[i];
      piece.touching ||= !row || !column || row === height - 1 || column === width - 1;
      piece.top = Math.min(piece.top, row), piece.bottom = Math.max(piece.bottom, row);
      piece.left = Math.min(piece.left, column), piece.right = Math.max(piece.right, column);
      for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, height - 1); r++)
        for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, width - 1); c++)
          if (ink.data[r * width + c] > level && !pieces.data[r * width + c]) {
            pieces.data[r * width + c] = number;
            open.push(r * width + c);
          }
    }
  }
  return { pieces, found };
}

function _zoomed(grid) {  // to 200 on the longer side, bilinear, if it is smaller
  const zoom = Math.max(1, 200 / Math.max(grid.height, grid.width));
  const large = new Grid(rint(grid.height * zoom), rint(grid.width * zoom));
  const place = (i, length, old) => {  // -> the old pixel before it, and how far on from there
    const at = length > 1 ? i * (old - 1) / (length - 1) : 0;
    const low = Math.min(Math.floor(at), old - 2);
    return [low, at - low];
  };
  const across = Array.from({ length: large.width }, (_, i) => place(i, large.width, grid.width));
  for (let row = 0; row < large.height; row++) {
    const [top, down] = place(row, large.height, grid.height);
    for (let column = 0; column < large.width; column++) {
      const [left, right] = across[column];
      const i = top * grid.width + left;
      const a = grid.data[i] * (1 - right) + grid.data[i + 1] * right;
      const b = grid.data[i + grid.width] * (1 - right) + grid.data[i + grid.width + 1] * right;
      large.data[row * large.width + column] = a * (1 - down) + b * down;
    }
  }
  return large;
}

function _stroke_like_mnist(digit) {  // thicken or thin the strokes, evenly from both sides
  const side = Math.max(digit.height, digit.width);
  const inside = _distances(digit.padded(1), 0);
  const within = inside.filter((distance) => distance > 0);
  const width = 4 * within.reduce((sum, distance) => sum + distance, 0) / within.length - 2;
  if (width > 0.4 * side) throw new NoDigit(LINES);  // a blot
  const wanted = Math.min(Math.max(width * 20 / side, STROKE[0]), STROKE[1]);
  // The box grows with the strokes: (width + 2 grow) * 20 = wanted * (side + 2 grow)
  const grow = (wanted * side - 20 * width) / (20 - wanted) / 2;
  const roomy = digit.padded(Math.max(0, Math.trunc(grow)) + 2);
  const inner = _distances(roomy, 0), outer = _distances(roomy, 1, Math.max(grow, 0) + 2);
  const even = new Grid(roomy.height, roomy.width, inner.map((d, i) => outer[i] - d <= grow));
  return even.cut(even.box(0));
}

// How far each pixel is from the nearest one that holds `target`, `reach` at most: along the
// columns first, then along the rows, as far as something nearer may lie.
function _distances({ height, width, data }, target, reach = 1e6) {
  const down = new Float64Array(data.length), distances = new Float64Array(data.length);
  for (let column = 0; column < width; column++) {
    for (let i = column, d = reach; i < data.length; i += width)
      down[i] = d = data[i] === target ? 0 : Math.min(d + 1, reach);
    for (let i = data.length - width + column, d = reach; i >= 0; i -= width)
      down[i] = d = Math.min(down[i], d + 1);
  }
  for (let i = 0; i < data.length; i++) {
    const column = i % width;
    let best = down[i] ** 2;
    for (let aside = 1; aside * aside < best; aside++) {
      if (aside <= column) best = Math.min(best, aside ** 2 + down[i - aside] ** 2);
      if (aside + column < width) best = Math.min(best, aside ** 2 + down[i + aside] ** 2);
    }
    distances[i] = Math.sqrt(best);
  }
  return distances;
}

function _box_resized(grid, height, width) {  // each new pixel the mean of the old ones it covers
  const covered = (i, scale) => [0, 1].map((end) => Math.floor((i + end) * scale + 0.5));
  const small = new Grid(height, width), down = grid.height / height, right = grid.width / width;
  for (let row = 0; row < height; row++) {
    const [top, bottom] = covered(row, down);
    for (let column = 0; column < width; column++) {
      const [left, end] = covered(column, right);
      let sum = 0;
      for (let r = top; r < bottom; r++)
        for (let c = left; c < end; c++) sum += grid.data[r * grid.width + c];
      small.data[row * width + column] = sum / (bottom - top) / (end - left);
    }
  }
  return small;
}
