// Which numbers make up one slope: from the outputs' errors back to a node, a pixel or a weight.
//
// A place is a node, {layer, node}, or a weight, {layer, node, from}: from a node of the layer
// before. A chain is a list of rows, each with a formula, the line of Python that computes it, a
// number for each node of the layer after (cells), and perhaps one for all of them (total).

const SLOPES = {  // of activations: what they are called, and the formula, by the node's letter
  sigmoid: ["sigmoid’s slope", (a) => `${a} (1 − ${a})`],
  relu: ["relu’s slope", (a) => `1 if ${a} > 0, else 0`],
};
const upto = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
const same = (one, other) => Boolean(one && other) && one.layer === other.layer
  && one.node === other.node && one.from === other.from;

function numbers_of(text, Kind) {  // base64 -> an array of that kind
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

function cut(numbers, lengths) {
  let end = 0;
  return lengths.map((length) => numbers.subarray(end, end += length));
}

function state_of(text) {  // what the kernel says of one image
  const state = JSON.parse(text);
  return { ...state, data: numbers_of(state.data, Float64Array) };
}

const key_of = ({ example, moment, steps }) => `${example} ${moment} ${steps}`;

class Numbers {  // everything about one image at one moment, by layer: 0 is the inputs
  constructor(about, weights, state) {
    Object.assign(this, about, state);
    const { layers } = this, after = layers.slice(1), n = layers.length;
    const lengths = [...layers, ...layers, ...after, layers.at(-1), 1];
    const all = cut(this.data, lengths);
    this.a = all.slice(0, n);  // activations
    this.delta = all.slice(n, 2 * n);  // slopes by the inputs, then by each z
    this.bend = [null, ...all.slice(2 * n, 3 * n - 1)];  // slopes of the activations
    this.targets = all.at(-2), [this.loss] = all.at(-1);
    const sizes = after.map((nodes, i) => layers[i] * nodes);
    const parts = cut(weights, this.biases ? [...sizes, ...after] : sizes);
    this.w = [null, ...parts.slice(0, after.length)];  // into each layer
    this.b = [null, ...parts.slice(after.length)];
    this.last = n - 1;
    this.tiny = Math.max(...layers) <= 6 && sum(sizes) <= 30;
    const side = Math.sqrt(layers[0]);
    this.side = side % 1 || side < 8 ? 0 : side;  // of the picture, if the inputs are one
  }

  adopt(state) {  // the same picture's numbers, from the kernel
    this.data.set(state.data);
    [this.loss, this.undo] = [this.data.at(-1), state.undo];
  }

  weight({ layer, node, from }) {
    return this.w[layer][from * this.layers[layer] + node];
  }

  slope({ layer, node, from }) {  // of the loss, by a weight, a node's z or a pixel
    return this.delta[layer][node] * (from === undefined ? 1 : this.a[layer - 1][from]);
  }

  name({ layer, node, from }) {
    if (from !== undefined) {
      return `weight from ${this.name({ layer: layer - 1, node: from })} to ${
        this.name({ layer, node })}`;
    }
    const { side } = this;
    if (layer === 0 && !side) return `input ${node}`;
    if (layer === 0) return `pixel (${Math.floor(node / side)}, ${node % side})`;
    if (layer === this.last) return this.layers[layer] > 1 ? `output ${node}` : "the output";
    return this.last > 2 ? `node ${node} of hidden layer ${layer}` : `hidden node ${node}`;
  }

  // From the errors to the delta of some outputs. `into` says how a row holds their numbers.
  _outputs(nodes, into) {
    const { a, targets, bend, delta, last, lines } = this;
    const at = (numbers) => into(nodes.map((node) => ({
      number: numbers(node), place: { layer: last, node },
    })));
    const error = (k) => a[last][k] - targets[k];
    const rows = [{ name: "error", formula: "o − t", line: lines.error, ...at(error) }];
    if (this.loss_name !== "squared error") return rows;  // the slopes cancel out
    const line = lines["output bend"];
    if (this.output === "softmax") {
      const mean = sum(upto(this.layers[last]).map((k) => error(k) * a[last][k]));
      rows.push({ name: "− that of all", formula: "Σ (o − t) o", line, ...at(() => mean) });
      rows.push({ name: "× output", formula: "o", line, ...at((k) => a[last][k]) });
    } else {
      const [name, formula] = SLOPES[this.output] ?? [`${this.output}’s slope`, () => ""];
      rows.push({ name: `× ${name}`, formula: formula("o"), line, ...at((k) => bend[last][k]) });
    }
    rows.push({
      name: "= blame", formula: "δ", line: lines["output delta"], ...at((k) => delta[last][k]),
    });
    return rows;
  }

  // The blame that comes back to a node or a pixel, from the layer after, through the weights.
  _back(layer, node, most) {
    const { delta, lines, last } = this, after = layer + 1;
    const way = (k) => ({ layer: after, node: k, from: node });
    const share = (k) => delta[after][k] * this.weight(way(k));
    let nodes = upto(this.layers[after]);
    if (nodes.length > most) {
      nodes.sort((k, other) => Math.abs(share(other)) - Math.abs(share(k)));
      nodes = nodes.slice(0, most).sort((k, other) => k - other);
    }
    const rest = this.layers[after] - nodes.length;
    const total = sum(upto(this.layers[after]).map(share));
    const others = { number: total - sum(nodes.map(share)), rest };
    const shares = nodes.map((k) => ({ number: share(k), place: way(k) }));
    const line = layer ? lines.back : lines["by pixel"], rows = after === last
      ? this._outputs(nodes, (cells) => ({ cells }))
      : [{
        name: "blame of each", formula: "δ", line: lines["hidden delta"],
        cells: nodes.map((k) => ({ number: delta[after][k], place: { layer: after, node: k } })),
      }];
    rows.push({
      name: "× weight", formula: "w", line,
      cells: nodes.map((k) => ({ number: this.weight(way(k)), place: way(k) })),
    }, {
      name: "= its share", formula: "Σ δ w", line,
      cells: rest ? [...shares, others] : shares,
      total: { number: total, place: { layer, node } },
    });
    return { rows, nodes, rest, slope: total };
  }

  chain({ layer, node, from }, most = 10) {  // -> {rows, nodes: the columns, rest}
    const { a, bend, delta, lines, last } = this;
    const place = { layer, node }, one = (number, at = place) => ({ total: { number, place: at } });
    let { rows, nodes, rest, slope } = layer === last
      ? { rows: this._outputs([node], ([total]) => ({ total })), nodes: [], rest: 0 }
      : this._back(layer, node, most);
    if (layer > 0 && layer < last) {
      const line = lines["hidden bend"];
      if (this.hidden === "softmax") {
        const mean = slope - delta[layer][node] / a[layer][node];
        rows.push({ name: "− that of all nodes", formula: "Σ (Σ δ w) h", line, ...one(mean) });
        rows.push({ name: "× activation", formula: "h", line, ...one(a[layer][node]) });
      } else {
        const [name, formula] = SLOPES[this.hidden] ?? [`${this.hidden}’s slope`, () => ""];
        rows.push({ name: `× ${name}`, formula: formula("h"), line, ...one(bend[layer][node]) });
      }
      rows.push({
        name: "= blame", formula: "δ", line: lines["hidden delta"], ...one(delta[layer][node]),
      });
    }
    if (from !== undefined) {
      const start = { layer: layer - 1, node: from }, [what, letter] = layer > 1
        ? ["activation", "h"] : [this.side ? "pixel" : "input", "x"];
      const line = layer > 1 ? lines.activation : lines.input;
      rows.push(
        { name: `× ${what}`, formula: letter, line, ...one(a[layer - 1][from], start) },
        { name: "= slope", formula: `${letter} δ`, line: lines["by weight"],
          ...one(this.slope({ layer, node, from }), { layer, node, from }) },
      );
    }
    return { rows, nodes, rest };
  }
}

function written(number, digits = 4, sign = "") {  // −0.001863, and 2.1 × 10⁻⁷
  if (!number) return "0";
  const before = number < 0 ? "−" : sign, size = Math.abs(number);
  if (size < 1000 && Number(size.toPrecision(2)) === size && size > 0.001) return before + size;
  if (!Number.isFinite(size)) return "not finite";
  if (size >= 1e-3 && size < 1e5) return before + size.toPrecision(digits);
  const [mantissa, power] = size.toExponential(digits > 4 ? digits - 2 : 1).split("e");
  const raised = [...power.replace("+", "")].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return `${before}${mantissa}·10${raised.join("")}`;
}
