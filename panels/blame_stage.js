// The network on a canvas: where everything lies, what it looks like, and what is under the finger.
//
// One meaning for each colour: orange is above 0, blue below. Digits and weights lie on paper, dark
// on light, also in the dark.

const PAPER = { white: "#ffffff", ink: 0x2a2017, over: 0x005ed5, under: 0xb27200 };  // blue first
const LABEL = 13, HEAD = 22, EDGE = 3;  // of letters, of the line on top, left and right: pixels

const NUMBER = 72;  // wide

const middle = ({ x, y, w, h }) => [x + w / 2, y + h / 2];
const most = (numbers) => numbers.reduce((m, number) => Math.max(m, Math.abs(number)), 1e-300);

class Stage {
  constructor(canvas) {
    Object.assign(this, { canvas, pen: canvas.getContext("2d") });
  }

  show(net, look) {  // new numbers, or another look at the tiles
    Object.assign(this, { net, look, side: net.side });
    if (this.side) this._print();
  }

  _print() {  // the picture, and below it the tile of each node of the first hidden layer
    const { net, look, side } = this, x = net.a[0], pixels = x.length, nodes = net.layers[1];
    const value = {
      slopes: (i, j) => x[i] * net.delta[1][j],
      weights: (i, j) => net.w[1][i * nodes + j],
      activations: (i, j) => x[i] * net.a[1][j],
    }[look];
    const scale = {
      slopes: most(x) * most(net.delta[1]), weights: most(net.w[1]) * 0.7, activations: 1,
    }[look];
    const picture = new ImageData(side, side * (1 + nodes));
    const dots = new Uint32Array(picture.data.buffer);
    const inked = (number, ink) => ink | (255 * Math.min(1, Math.abs(number))) << 24;
    for (let i = 0; i < pixels; i++) {
      dots[i] = inked(x[i] < 0.011 ? 0 : x[i], PAPER.ink);
      for (let j = 0; j < nodes; j++) {
        const number = value(i, j) / scale, ink = number < 0 ? PAPER.under : PAPER.over;
        dots[pixels * (1 + j) + i] = look === "activations"
          ? inked(number, PAPER.ink) : inked(Math.abs(number) ** 0.7, ink);
      }
    }
    this.print = new OffscreenCanvas(side, side * (1 + nodes));
    this.print.getContext("2d").putImageData(picture, 0, 0);
  }

  // Where everything lies

  layout(width) {
    const { net, canvas } = this, dpr = devicePixelRatio || 1;
    Object.assign(this, { width, dpr, boxes: [], heads: [], wide: width >= 720 });
    this.room = width - 2 * EDGE;
    this.height = Math.ceil(net.tiny ? this._layout_tiny() : this._layout_large());
    for (const box of this.boxes) box.x += EDGE;
    for (const head of this.heads) head[1] += EDGE;
    canvas.width = Math.round(width * dpr), canvas.height = Math.round(this.height * dpr);
    canvas.style.height = `${this.height}px`;
  }

  _grid(layer, x, y, columns, pitch, size = pitch) {
    for (const node of upto(this.net.layers[layer])) {
      const right = (node % columns) * pitch, down = Math.floor(node / columns) * pitch;
      this.boxes.push({ layer, node, x: x + right, y: y + down, w: size, h: size });
    }
  }

  _whole(size, parts) {  // at most this size, such that each part has whole pixels of the screen
    return Math.max(1, Math.floor((size * this.dpr) / parts)) * parts / this.dpr;
  }

  _across(count) {  // tiles in a row of a narrow page: all rows of one length, if it can be
    const fit = Math.max(Math.floor(this.room / 28.5), Math.ceil(Math.sqrt(count)));
    return upto(fit + 1).findLast((n) => n > 0.7 * fit && count % n === 0) ?? fit;
  }

  _layout_large() {  // on wide pages the layers side by side, on narrow ones the hidden ones below
    const { net, room, wide, side } = this, { layers, last } = net;
    const outputs = wide ? Math.max(300, Math.min(340, room * 0.28)) : Math.max(150, room * 0.46);
    const columns = Math.ceil(Math.sqrt(layers[0]));
    const fits = wide ? Math.min(448, (room - outputs) / last - 40) : room - outputs - 20;
    const big = this._whole(fits, columns);  // the picture; on wide pages all are as high
    const pitch = (room - outputs) / last;
    this._grid(0, 0, HEAD, columns, big / columns);
    let bottom = HEAD + big, [x, y] = wide ? [pitch, HEAD] : [0, bottom + HEAD + 10];
    for (let layer = 1; layer < last; layer++) {
      const count = layers[layer], heading = `${count} hidden nodes`;
      const across = wide ? Math.ceil(Math.sqrt(count)) : this._across(count);
      const step = (wide ? big : room) / across, size = Math.min(step - 2, wide ? 99 : 34);
      const sharp = side ? this._whole(size, side) : size;
      const tile = sharp < 0.8 * size ? size : sharp;
      const to_next = wide ? (big - tile) / Math.max(1, across - 1) : Math.min(step, tile + 6);
      this._grid(layer, x, y, across, to_next, tile);
      this.heads.push([layer === 1 && side ? () => `${heading}: ${this.look}` : heading, x, y]);
      bottom = Math.max(bottom, this.boxes.at(-1).y + tile);
      if (wide) x += pitch;
      else y = bottom + HEAD + 10;
    }
    const left = room - outputs, row = big / layers[last];
    for (const node of upto(layers[last])) {
      const y = HEAD + node * row;
      this.boxes.push({ layer: last, node, x: left, y, w: outputs, h: Math.min(40, row) - 2 });
    }
    this.heads.push([layers[last] > 1 ? "outputs" : "output", left, HEAD]);
    for (const [n, text] of (wide ? ["blame δ", "target t", "o"] : ["blame δ"]).entries()) {
      this.heads.push([text, room - 2 - NUMBER * n, HEAD, "right"]);
    }
    return bottom + 2;
  }

  _layout_tiny() {  // left of each node the weights into it, one below the other
    const { net, room, wide } = this, { layers, last } = net;
    const node_w = wide ? 112 : 58, label = wide ? 168 : 62, row = wide ? 26 : 38;
    const left = room - node_w * (last + 1) - label * last;
    const way = Math.min(170, Math.max(12, left / last)), pitch = node_w + way + label;
    const tall = layers.map((nodes, l) => Math.max(76, (l ? layers[l - 1] : 0) * row + 4) + 16);
    const height = Math.max(...layers.map((nodes, l) => nodes * tall[l]));
    layers.forEach((nodes, layer) => {
      const x = layer * pitch, top = HEAD + (height - nodes * tall[layer]) / 2;
      for (const node of upto(nodes)) {
        const y = top + node * tall[layer], h = tall[layer] - 16;
        this.boxes.push({ layer, node, x, y: y + (h - 76) / 2, w: node_w, h: 76 });
        if (layer === 0) continue;
        const first = y + (h - layers[layer - 1] * row) / 2;
        for (const from of upto(layers[layer - 1])) {
          const place = { layer, node, from, x: x - label, y: first + from * row };
          this.boxes.push({ ...place, w: label - 6, h: row - 2 });
        }
      }
      this.heads.push([layer === 0 ? "inputs" : layer === last ? "output" : "hidden nodes", x,
        HEAD]);
    });
    return HEAD + height;
  }

  box(place) {
    return this.boxes.find((box) => same(box, place));
  }

  hit(x, y) {
    const box = this.boxes.find((b) => x >= b.x && y >= b.y && x < b.x + b.w && y < b.y + b.h);
    return box ? this._place(box) : null;
  }

  _place({ layer, node, from }) {
    return from === undefined ? { layer, node } : { layer, node, from };
  }

  next(place, right, down) {  // the nearest in the direction of an arrow key
    const [x, y] = middle(this.box(place) ?? this.boxes[0]);
    let nearest = null, least = Infinity;
    for (const box of this.boxes) {
      const [bx, by] = middle(box), ahead = (bx - x) * right + (by - y) * down;
      const off = Math.abs((bx - x) * down) + Math.abs((by - y) * right);
      if (ahead > 0.5 && ahead + 3 * off < least) least = ahead + 3 * off, nearest = box;
    }
    return nearest ? this._place(nearest) : place;
  }

  // What it looks like

  dress(style) {
    for (const name of ["ink", "soft", "rule", "page", "over", "under"]) {
      this[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this.face = style.fontFamily;
  }

  draw({ picked, pointed, marked }) {
    const { pen, net, dpr } = this;
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    for (const [text, x, y, align] of this.heads) {
      this._text(text.call?.() ?? text, x, y - 9, this.soft, align);
    }
    const node = picked.findLast(({ layer }) => layer > 0 && layer < net.last) ?? picked[0];
    if (net.tiny) this._draw_tiny(); else this._draw_large(picked, node);
    for (const place of picked) this._frame(place, this.ink, 2.5);
    if (picked.length > 1) this._frame({ ...picked[1], from: picked[0].node }, this.ink, 2.5);
    if (pointed) this._frame(pointed, this.ink, 1.5);
    for (const { place, number } of marked) {
      this._frame(place, this._sign(number), 3.5, number < 0);
    }
  }

  _sign(number) {
    return number < 0 ? this.under : number > 0 ? this.over : this.soft;
  }

  _text(text, x, y, ink = this.ink, align = "left", weight = 400) {
    Object.assign(this.pen, {
      font: `${weight} ${LABEL}px ${this.face}`, fillStyle: ink, textAlign: align,
      textBaseline: "middle",
    });
    this.pen.fillText(text, x, y);
  }

  _frame(place, ink, width, dashed = false) {
    const box = this.box(place), { pen } = this;
    if (!box) {  // a weight that has no place of its own: the line between its ends
      if (place.from !== undefined) this._line(place, ink, width, dashed);
      return;
    }
    const out = width / 2 + (box.layer || !this.side ? 0 : 1);
    const rim = [box.x - out, box.y - out, box.w + 2 * out, box.h + 2 * out];
    this._stroke(ink, width, () => pen.strokeRect(...rim));
  }

  _line({ layer, node, from }, ink, width, dashed) {
    const { pen } = this, start = this.box({ layer: layer - 1, node: from });
    const end = this.box({ layer, node, from }) ?? this.box({ layer, node });
    const beside = end.x > start.x + start.w / 2;
    const [x, y] = beside ? [start.x + start.w, middle(start)[1]] : middle(start);
    const [ex, ey] = [end.x, middle(end)[1]], bend = Math.max(20, Math.abs(ex - x) / 2);
    pen.setLineDash(dashed ? [5, 3] : []);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.bezierCurveTo(x + bend, y, ex - bend, ey, ex, ey);
    this._stroke(ink, width, () => pen.stroke());
    pen.setLineDash([]);
  }

  _stroke(ink, width, stroke) {  // with a seam, so that it is seen on paper and on a dark page
    const { pen } = this;
    if (ink === this.ink) {
      Object.assign(pen, { strokeStyle: this.page, lineWidth: width + 2.5 });
      stroke();
    }
    Object.assign(pen, { strokeStyle: ink, lineWidth: width });
    stroke();
  }

  _draw_large(picked, node) {
    const { pen, net, side, look } = this, { last } = net;
    const [first] = this.boxes, columns = Math.ceil(Math.sqrt(net.layers[0]));
    const big = first.w * columns, shown = node?.layer === 1 && last > 1 ? node.node : null;
    pen.imageSmoothingEnabled = false;
    const paper = (box, w = box.w, h = box.h) => {
      pen.fillStyle = PAPER.white;
      pen.fillRect(box.x, box.y, w, h);
      Object.assign(pen, { strokeStyle: this.rule, lineWidth: 1 });
      pen.strokeRect(box.x - 0.5, box.y - 0.5, w + 1, h + 1);
    };
    if (side) {
      paper(first, big, big);
      const part = shown !== null && look !== "activations" ? shown + 1 : 0;
      this._text(part ? `${look} into node ${shown}` : "the picture", first.x, HEAD - 9, this.soft);
      pen.globalAlpha = part ? (look === "weights" ? 0.3 : 0) : 1;
      pen.drawImage(this.print, 0, 0, side, side, first.x, first.y, big, big);
      pen.globalAlpha = 1;
      if (part) {
        pen.drawImage(this.print, 0, side * part, side, side, first.x, first.y, big, big);
      }
    }
    for (const box of this.boxes) {
      const { layer, node, x, y, w, h } = box;
      if (layer === last) this._output(box);
      else if (layer > 0 || !side) {
        paper(box);
        if (layer === 1 && side) {
          pen.imageSmoothingEnabled = w * this.dpr < side;
          pen.drawImage(this.print, 0, side * (node + 1), side, side, x, y, w, h);
          if (look === "slopes") this._mark(box, net.delta[1][node]);
        } else {
          pen.fillStyle = `rgb(23 32 42 / ${Math.min(1, Math.abs(net.a[layer][node]))})`;
          pen.fillRect(x, y, w, h);
        }
      }
    }
    this._fan(picked.at(-1));
  }

  _mark({ layer, x, y, w }, number) {  // + or −, for who cannot tell the colours
    const { pen } = this;
    if (w < 20 || Math.abs(number) < 0.1 * most(this.net.delta[layer])) return;
    pen.fillStyle = number < 0 ? "#0072b2" : "#d55e00";
    pen.fillRect(x + 2, y + 4, 5, 1);
    if (number > 0) pen.fillRect(x + 4, y + 2, 1, 5);
  }

  _fan({ layer, node }) {  // the twelve strongest ways of blame from or to it
    const { net } = this, { layers, last } = net, ways = [];
    const add = (place) => ways.push([place, net.delta[place.layer][place.node]
      * net.weight(place)]);
    if (layer < last) {
      for (const k of upto(layers[layer + 1])) add({ layer: layer + 1, node: k, from: node });
    } else if (last > 1) for (const from of upto(layers[last - 1])) add({ layer, node, from });
    ways.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
    const strongest = Math.abs(ways[0]?.[1]) || 1;
    this.pen.globalAlpha = 0.75;
    for (const [place, share] of ways.slice(0, 12)) {
      const width = 4 * Math.sqrt(Math.abs(share) / strongest);
      if (width > 0.4 && this.wide) this._line(place, this._sign(share), width, share < 0);
    }
    this.pen.globalAlpha = 1;
  }

  _output({ node, x, y, w, h }) {
    const { pen, net } = this, { last } = net, o = net.a[last][node], delta = net.delta[last][node];
    const line = y + h / 2, start = x + 24, full = w - 34 - NUMBER * (this.wide ? 3 : 1);
    const share = (number) => full * Math.max(0, Math.min(1, number));
    this._text(net.layers[last] > 1 ? node : "", x + 6, line, this.ink, "left", 700);
    pen.fillStyle = this.rule;
    pen.fillRect(start, line - 5, full, 10);
    pen.fillStyle = this.ink;
    pen.fillRect(start, line - 5, share(o), 10);
    pen.fillRect(start + share(net.targets[node]) - 1, line - 9, 2, 18);  // where it should be
    this._text(written(delta, 2, "+"), x + w - 2, line, this._sign(delta), "right");
    if (!this.wide) return;
    this._text(net.targets[node].toFixed(2), x + w - 2 - NUMBER, line, this.soft, "right");
    this._text(o.toFixed(2), x + w - 2 - 2 * NUMBER, line, this.ink, "right");
  }

  _draw_tiny() {
    const { pen, net, boxes, wide } = this, ways = boxes.filter(({ from }) => from !== undefined);
    const digits = wide ? 3 : 2;
    const steepest = most(ways.map((way) => net.slope(way)));
    for (const way of ways) {
      const slope = net.slope(way), width = 1 + 3 * Math.abs(slope) / steepest;
      this._line(way, this._sign(slope), width, slope < 0);
    }
    for (const { layer, node, from, x, y, w, h } of boxes) {
      const place = { layer, node, from }, slope = net.slope(place), ink = this._sign(slope);
      if (from !== undefined) {
        const [weight, blame] = [written(net.weight(place), digits), written(slope, digits, "+")];
        if (wide) this._text(weight, x + 66, y + h / 2, this.ink, "right");
        else this._text(weight, x + w - 4, y + h / 4 + 1, this.ink, "right");
        this._text(blame, x + w - 8 + (wide ? 0 : 4), wide ? y + h / 2 : y + 3 * h / 4, ink,
          "right", 600);
        continue;
      }
      pen.fillStyle = this.rule;
      pen.globalAlpha = 0.5;
      pen.fillRect(x, y, w, h);
      pen.globalAlpha = 1;
      const lines = [[written(net.a[layer][node], digits), this.ink, 700],
        [`${wide && layer ? "δ " : ""}${written(slope, digits, "+")}`, ink, 600]];
      if (layer === net.last) {
        const target = written(net.targets[node], digits);
        lines.splice(1, 0, [wide ? `target ${target}` : `→ ${target}`, this.soft, 400]);
      } else if (layer && net.b[layer]) {
        lines.splice(1, 0, [`b ${written(net.b[layer][node], digits)}`, this.soft, 400]);
      }
      lines.forEach(([text, color, weight], n) => {
        this._text(text, x + w / 2, y + (h * (n + 1)) / (lines.length + 1), color, "center",
          weight);
      });
    }
  }
}
