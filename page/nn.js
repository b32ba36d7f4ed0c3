// The network of nn.py in JavaScript, to be read beside it: the same names in the same order.
//
// Left out: what is said to a wrong input, measuring the loss, and the backward query. NumPy's
// part is in arrays.js. Rows are examples: B of them in a batch, n in all.
//
//   x (B, 784) - weights[0] (784, 100) -> hidden (B, 100) - weights[1] (100, 10) -> outputs (B, 10)

function normal(rng, [inputs, nodes]) {  // mean 0, spread inputs^-0.5
  return new Matrix(inputs, nodes).map(() => rng.normal() * inputs ** -0.5);
}

class NeuralNetwork {
  constructor(
    layers = [784, 100, 10],
    { hidden = "sigmoid", output = "sigmoid", loss = "squared error", biases = false,
      initial = normal, seed = 0 } = {},
  ) {
    Object.assign(this, { layers, hidden, output, loss_name: loss, rng: new Random(seed) });
    this.weights = layers.slice(1).map((nodes, i) => initial(this.rng, [layers[i], nodes]));
    this.biases = biases ? layers.slice(1).map((nodes) => new Matrix(1, nodes)) : [];
    this.epoch = 0;  // epochs trained so far
  }

  as_input(images) {  // (n, 784). Bytes are pixels: 0..255 becomes 0.01..1.00
    if (!(images.data instanceof Uint8Array)) return images;
    const x = new Float32Array(images.data).map((pixel) => pixel * (0.99 / 255) + 0.01);
    return new Matrix(images.rows, images.columns, x);
  }

  as_targets(labels) {  // (n, 10). Digits become rows of 0.01 with 0.99 at the digit's node
    if (labels instanceof Matrix) return labels;
    const [low, high] = this.output === "softmax" ? [0, 1] : [0.01, 0.99];
    const targets = new Matrix(labels.length, this.layers.at(-1));
    targets.data.fill(low);
    labels.forEach((label, i) => { targets.row(i)[label] = high; });
    return targets;
  }

  // -- Forward and backward

  activation(layer) {
    const last = layer === -1 || layer === this.weights.length - 1;
    return ACTIVATIONS[last ? this.output : this.hidden];
  }

  sums(a, layer) {  // z, the sum into each node of a layer (B, nodes)
    const z = matmul(a, this.weights[layer]);
    if (!this.biases.length) return z;
    const biases = this.biases[layer].data;
    return z.map((number, i) => number + biases[i % biases.length]);
  }

  forward(x) {  // the activations of every layer: [x (B, 784), hidden (B, 100), outputs (B, 10)]
    const activations = [this.as_input(x)];
    for (let layer = 0; layer < this.weights.length; layer++) {
      const z = this.sums(activations[layer], layer);  // (B, nodes)
      activations.push(this.activation(layer).value(z));  // (B, nodes)
    }
    return activations;
  }

  backprop(x, targets, scale = 1) {  // the gradients: the loss's slopes by weights and biases
    const activations = this.forward(x);
    const deltas = this.deltas(activations, targets, scale);
    const by_weights = deltas.map((delta, layer) => matmul(activations[layer].T, delta));
    const by_biases = this.biases.length ? deltas.map(sum_columns) : [];
    return [by_weights, by_biases];  // [(784, 100), (100, 10)], [(1, 100), (1, 10)]
  }

  deltas(activations, targets, scale = 1, loss = this.loss_name) {  // forward in a mirror
    const outputs = activations.at(-1);  // (B, 10)
    targets = this.as_targets(targets);  // (B, 10)
    const delta = LOSSES[`${loss}, ${this.output}`];  // of the mean over B rows:
    const deltas = [delta(outputs, targets, scale / outputs.rows, this.activation(-1))];  // (B, 10)
    for (let layer = this.weights.length - 1; layer >= 1; layer--) {
      const slope = matmul(deltas[0], this.weights[layer].T);  // (B, 100)
      deltas.unshift(this.activation(layer - 1).backward(activations[layer], slope));
    }
    return deltas;
  }

  input_gradient(x, targets, loss) {  // the slopes of the loss by the inputs, (B, 784)
    return matmul(this.deltas(this.forward(x), targets, 1, loss)[0], this.weights[0].T);
  }

  // -- Training

  // Gradient descent on batches of shuffled examples. It stops after each step and says how many
  // epochs are trained, so that the page can draw meanwhile; ask it for the next to go on.
  *train(images, labels, { epochs = 10, learning_rate = 3, batch_size = 32,
    rotations = [10, -10] } = {}) {
    images = stacked([images, ...rotations.map((angle) => rotate(images, angle))]);  // (3 n, 784)
    const once = this.as_targets(labels);
    const targets = stacked([once, ...rotations.map(() => once)]);  // (3 n, 10)
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const [x, t] of this._batches(images, targets, batch_size)) {
        const [by_weights, by_biases] = this.backprop(x, t, learning_rate);
        plain(this, by_weights.concat(by_biases));
        this.epoch += t.rows / targets.rows;
        yield this.epoch;
      }
    }
  }

  *_batches(images, targets, batch_size) {
    const order = this.rng.permutation(targets.rows);
    for (let i = 0; i < targets.rows; i += batch_size) {
      const rows = order.slice(i, i + batch_size);
      yield [images.take(rows), targets.take(rows)];
    }
  }

  outputs(images) {  // the last layer's activations, (n, 10)
    return this.forward(images).at(-1);
  }

  predict(images) {  // the node with the largest output for each image, (n,)
    const outputs = this.outputs(images);
    return Array.from({ length: outputs.rows }, (_, i) => argmax(outputs.row(i)));
  }
}

function plain(net, steps) {  // as in optimisers.py: each weight and bias goes down its slope
  net.weights.concat(net.biases).forEach((parameter, i) => {
    const step = steps[i].data, numbers = parameter.data;
    for (let k = 0; k < numbers.length; k++) numbers[k] -= step[k];
  });
}

function stacked(parts) {  // their rows, one part below the other
  const rows = parts.reduce((sum, part) => sum + part.rows, 0), columns = parts[0].columns;
  const data = new parts[0].data.constructor(rows * columns);
  parts.reduce((at, part) => { data.set(part.data, at); return at + part.data.length; }, 0);
  return new Matrix(rows, columns, data);
}

// Turning by a fixed angle is linear: each new pixel is a sum of shares of four old ones.
function _rotation(side, degrees) {
  const cos = Math.cos(degrees * Math.PI / 180), sin = Math.sin(degrees * Math.PI / 180);
  const centre = (side - 1) / 2, to = [], from = [], share = [];
  const add = (pixel, row, column, part) => {
    if (part > 0) to.push(pixel), from.push(row * side + column), share.push(part);
  };
  for (let pixel = 0; pixel < side * side; pixel++) {
    const down = Math.floor(pixel / side) - centre, right = pixel % side - centre;
    const y = cos * down + sin * right + centre;  // it comes from there
    const x = -sin * down + cos * right + centre;
    if (y < 0 || x < 0 || y > side - 1 || x > side - 1) continue;  // what comes in at corners is 0
    const top = Math.floor(y), left = Math.floor(x), low = y - top, far = x - left;
    add(pixel, top, left, (1 - low) * (1 - far));
    add(pixel, top, left + 1, (1 - low) * far);
    add(pixel, top + 1, left, low * (1 - far));
    add(pixel, top + 1, left + 1, low * far);
  }
  return { to: Int32Array.from(to), from: Int32Array.from(from), share: Float32Array.from(share) };
}

function rotate(images, degrees) {  // bytes (n, side * side), positive anticlockwise
  const { to, from, share } = _rotation(Math.sqrt(images.columns), degrees);
  const turned = new Matrix(images.rows, images.columns, new Uint8Array(images.data.length));
  const sums = new Float32Array(images.columns);
  for (let i = 0; i < images.rows; i++) {
    const old = images.row(i);
    sums.fill(0);
    for (let s = 0; s < to.length; s++) sums[to[s]] += Math.fround(share[s] * old[from[s]]);
    turned.row(i).set(sums.map(rint));
  }
  return turned;
}
