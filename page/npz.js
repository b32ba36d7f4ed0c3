// The project's files as they are: a network in an .npz, digits in a .csv.gz. Nothing is run.

function bytes_of(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

// An .npz is a zip of arrays, here not packed. Its list of members is at its end.
function read_npz(bytes) {  // -> { name: Matrix or text }
  const view = new DataView(bytes.buffer), found = {};
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [name_length, extra, comment] = [28, 30, 32].map((k) => view.getUint16(at + k, true));
    const name = text_of(bytes.subarray(at + 46, at + 46 + name_length));
    const packed = view.getUint16(at + 10, true);
    if (packed) throw new Error(`${name} is packed; expected what np.savez writes`);
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const size = view.getUint32(at + 24, true);
    found[name.replace(".npy", "")] = read_npy(name, bytes.slice(start, start + size));
    at += 46 + name_length + extra + comment;
  }
  return found;
}

function read_npy(name, bytes) {  // float32 in one or two dimensions, or a single text
  const length = new DataView(bytes.buffer).getUint16(8, true);
  const header = text_of(bytes.subarray(10, 10 + length));
  const type = header.match(/'descr': '([^']*)'/)[1];
  const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(",").filter((n) => n.trim());
  const data = bytes.slice(10 + length).buffer;
  if (type.startsWith("<U")) return String.fromCodePoint(...new Uint32Array(data));
  if (type !== "<f4" || header.includes("'fortran_order': True") || shape.length > 2)
    throw new Error(`${name}: expected float32 in C order, (n,) or (n, m), found ${header}`);
  const [rows, columns] = shape.length > 1 ? shape.map(Number) : [1, Number(shape[0])];
  return new Matrix(rows, columns, new Float32Array(data));
}

function text_of(bytes) {
  return String.fromCharCode(...bytes);
}

function load(bytes) {  // the network that storage.save wrote
  const arrays = read_npz(bytes), { layers, ...options } = JSON.parse(arrays.options);
  const net = new NeuralNetwork(layers, options);
  net.weights = net.weights.map((_, layer) => arrays[`weights_${layer}`]);
  net.biases = net.biases.map((_, layer) => arrays[`biases_${layer}`]);
  net.epoch = options.epoch;
  return net;
}

async function read_digits(gzip) {  // lines "label,p0,...,p783" -> images (n, 784), labels (n,)
  const stream = new Blob([gzip]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = new Uint8Array(await new Response(stream).arrayBuffer());
  const rows = text.reduce((count, character) => count + (character === 10), 0);
  const images = new Matrix(rows, 784, new Uint8Array(rows * 784)), labels = [];
  for (let i = 0, number = 0, at = 0, column = 0; i < text.length; i++) {
    if (text[i] >= 48) {
      number = 10 * number + text[i] - 48;
      continue;
    }
    if (column === 0) labels.push(number);
    else images.data[at++] = number;
    column = text[i] === 10 ? 0 : column + 1;
    number = 0;
  }
  return { images, labels };
}
