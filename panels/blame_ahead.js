// What the kernel is about to answer. Its answer takes a moment, so the network of page/nn.js works
// it out meanwhile, in 64 bits: another digit, a step, a step back, a nudge, and a moment that was
// seen before. Then the kernel's numbers, those of nn.py, take the place of these.

const KEPT = 10;  // steps that can be undone here; those before them, the kernel undoes

const LOSS = {  // of one example: z into the outputs, the outputs, targets. As in activations.py
  "squared error": (z, o, t) => sum(t.map((target, k) => (o[k] - target) ** 2)) / 2,
  "cross-entropy, softmax": (z, o, t) => {
    const largest = Math.max(...z);
    const log_sum = largest + Math.log(sum(z.map((number) => Math.exp(number - largest))));
    return sum(t.map((target, k) => target * (log_sum - z[k])));
  },
  "cross-entropy, sigmoid": (z, o, t) => sum(t.map((target, k) => Math.max(z[k], 0)
    + Math.log1p(Math.exp(-Math.abs(z[k]))) - target * z[k])),
};

const wide = (rows, columns, numbers) => new Matrix(rows, columns, Float64Array.from(numbers));

// Whether some number is farther from the other one than `part` of that
const differ = (some, others, part) => some.some(
  (number, i) => Math.abs(number - others[i]) > part * (Math.abs(others[i]) + 1e-6));

class Ahead {
  constructor(about) {
    const { layers, hidden, output, loss_name, biases, images } = about;
    const initial = (_, [inputs, nodes]) => new Matrix(inputs, nodes, new Float64Array(0));
    this.net = new NeuralNetwork(layers, { hidden, output, loss: loss_name, biases, initial });
    this.loss = LOSS[`${loss_name}, ${output}`] ?? LOSS[loss_name];
    this.knows = Boolean(images) && hidden in ACTIVATIONS && output in ACTIVATIONS;
    this.about = about, this.right = false, this.past = [], this.moments = new Map();
    if (!this.knows) return;
    this.images = numbers_of(images, about.bytes ? Uint8Array : Float64Array);
    this.targets = numbers_of(about.targets, Float64Array);
  }

  put(weights) {  // all layers' weights, then biases, one after the other
    const { layers } = this.about, after = layers.slice(1), sizes = after.map((n, i) => n * layers[i]);
    const parts = cut(weights, this.about.biases ? [...sizes, ...after] : sizes);
    this.weights = weights;
    this.net.weights = after.map((nodes, i) => new Matrix(layers[i], nodes, parts[i]));
    this.net.biases = parts.slice(after.length).map((part) => new Matrix(1, part.length, part));
  }

  // From the kernel: weights, and the numbers that it makes of an example. Only if ours are the
  // same is anything foretold: there may be an activation, or a network, of somebody's own.
  learn(weights, { example, moment, steps, data }) {
    if (weights !== this.weights) this.put(weights), this.past = [];
    if (!steps) this.moments.set(moment, weights);
    this.right = this.knows && !differ(this.numbers(example), data, 1e-4);
  }

  go(moment) {  // -> whether it could: only where it has been
    const weights = this.moments.get(moment);
    if (weights) this.put(weights), this.past = [];
    return Boolean(weights);
  }

  example(n) {  // [x (1, 784), targets (1, 10)]
    const { layers, bytes } = this.about, inputs = layers[0], outputs = layers.at(-1);
    const x = wide(1, inputs, this.images.subarray(n * inputs, (n + 1) * inputs));
    const targets = this.targets.subarray(n * outputs, (n + 1) * outputs);
    return [bytes ? x.map((pixel) => pixel * (0.99 / 255) + 0.01) : x, wide(1, outputs, targets)];
  }

  measure(x, targets) {  // -> the loss
    const { net } = this, a = net.forward(x), last = net.weights.length - 1;
    return this.loss(net.sums(a[last], last).data, a[last + 1].data, targets.data);
  }

  numbers(example) {  // what blame.py calls `arrays`, one after the other
    const { net } = this, [x, targets] = this.example(example), a = net.forward(x);
    const deltas = net.deltas(a, targets), by_inputs = matmul(deltas[0], net.weights[0].T);
    const bends = a.slice(1).map((b, n) => net.activation(n).backward(b, b.map(() => 1)));
    const all = [...a, by_inputs, ...deltas, ...bends, targets].map(({ data }) => Array.from(data));
    return Float64Array.from([...all.flat(), this.measure(x, targets)]);
  }

  step(example) {
    this.past = [...this.past, this.weights].slice(-KEPT);
    this.put(this.weights.slice());
    plain(this.net, this.net.backprop(...this.example(example), this.about.rate).flat());
  }

  back() {  // -> whether it could
    const weights = this.past.pop();
    if (weights) this.put(weights);
    return Boolean(weights);
  }

  nudge(example, { kind, layer, place: [row, column] }) {  // -> the losses before and after
    const [x, targets] = this.example(example), before = this.measure(x, targets);
    const matrix = kind === "inputs" ? x : this.net[kind][layer];
    const at = column === undefined ? row : row * matrix.columns + column, value = matrix.data[at];
    matrix.data[at] += this.about.push;
    const losses = [before, this.measure(x, targets)];
    matrix.data[at] = value;
    return losses;
  }
}
