// What a node makes of z, the sum that reaches it; and the slopes of the losses. As activations.py.

function sigmoid(z) {
  return z.map((number) => 1 / (1 + Math.exp(-number)));
}

function softmax(z) {
  const a = z.like();
  for (let i = 0; i < z.rows; i++) {
    const largest = Math.max(...z.row(i));  // it cancels out; exp cannot overflow
    const e = Array.from(z.row(i), (number) => Math.exp(number - largest));
    const sum = e.reduce((one, other) => one + other);
    a.row(i).set(e.map((number) => number / sum));
  }
  return a;
}

function softmax_backward(a, slope) {  // each a depends on every z of its row, hence the sum
  const back = a.like();
  for (let i = 0; i < a.rows; i++) {
    const s = slope.row(i), sum = a.row(i).reduce((so_far, a, k) => so_far + s[k] * a, 0);
    back.row(i).set(a.row(i).map((a, k) => a * (s[k] - sum)));
  }
  return back;
}

const ACTIVATIONS = {
  "sigmoid": {
    value: sigmoid,  // z -> a
    backward: (a, slope) => slope.map((s, i) => s * a.data[i] * (1 - a.data[i])),
  },
  "relu": {
    value: (z) => z.map((number) => Math.max(number, 0)),
    backward: (a, slope) => slope.map((s, i) => s * (a.data[i] > 0)),
  },
  "softmax": { value: softmax, backward: softmax_backward },
};

// Each loss's slope by z: outputs, targets, a factor, the activation -> (B, 10)

function squared_error_delta(outputs, targets, scale, activation) {
  return activation.backward(outputs, outputs.map((o, i) => (o - targets.data[i]) * scale));
}

function cross_entropy_delta(outputs, targets, scale) {
  return outputs.map((o, i) => (o - targets.data[i]) * scale);  // the two slopes cancel out
}

const LOSSES = {  // by loss and output activation
  "squared error, sigmoid": squared_error_delta,
  "squared error, relu": squared_error_delta,
  "squared error, softmax": squared_error_delta,
  "cross-entropy, softmax": cross_entropy_delta,
  "cross-entropy, sigmoid": cross_entropy_delta,
};
