// The sheet that one draws on, with mouse, pen, finger or arrow keys, and what the network sees of
// it. It tells its stage when something is drawn.

const PEN = 20;  // its width, where the sheet has 280 pixels a side
const SHARP = 3;  // pixels of the screen for one of the sheet
const ARROWS = {  // rows down, columns to the right
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
};
const SHEET = `
<div class="board"><canvas class="paper pad" width="840" height="840" tabindex="0"
  role="application" aria-label="A sheet to draw a digit on. Arrow keys move the pen, space
  lowers and lifts it, Delete clears the sheet."></canvas><span class="pen"></span></div>
<div class="below">
  <figure><canvas class="paper seen" width="28" height="28" role="img"
    aria-label="What the network sees"></canvas><figcaption>what it sees</figcaption></figure>
  <div class="column">
    <button type="button" class="clear">Clear</button>
    <button type="button" class="another" disabled>Example</button>
    <label>pen <input type="range" class="width" min="4" max="50" value="${PEN}"></label>
  </div>
</div>`;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

function shares(pixels = new Uint8Array(784)) {  // bytes -> 0..1
  return new Float32Array(pixels).map((pixel) => pixel / 255);
}

// (784,) onto a canvas: the larger a number, up to `most`, the stronger its colour; 0 is clear
function paint(canvas, row, over = [0, 0, 0], under = over, most = 1) {
  const context = canvas.getContext("2d"), picture = context.createImageData(28, 28);
  for (let i = 0; i < row.length; i++) {
    const color = row[i] > 0 ? over : under;
    for (let k = 0; k < 3; k++) picture.data[4 * i + k] = color[k];
    picture.data[4 * i + 3] = 255 * Math.abs(row[i]) / most;
  }
  context.putImageData(picture, 0, 0);
}

class Sheet {
  constructor(stage, root) {
    this.stage = stage;
    root.innerHTML = SHEET;
    const find = (name) => root.querySelector(`.${name}`);
    this.pad = find("pad"), this.seen = find("seen"), this.width = find("width");
    this.ink = make(document.createElement("div"), "canvas", { width: 280, height: 280 })
      .getContext("2d", { willReadFrequently: true });  // what the network gets
    this.sharp = this.pad.getContext("2d");  // what one sees, sharp on any screen
    this.sharp.scale(SHARP, SHARP);
    find("clear").onclick = () => this.clear();
    this.examples = find("another");
    this._listen(find("pen"));
  }

  _listen(cursor) {
    const { pad } = this;
    let pointer = null, last = null, at = [140, 60], lowered = false;
    const place = (event) => {
      const box = pad.getBoundingClientRect(), scale = 280 / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    pad.onpointerdown = (event) => {
      if (pointer !== null || event.button !== 0) return;
      pointer = event.pointerId;
      pad.setPointerCapture(pointer);
      this.touched();
      last = place(event);
      this.line(last, [last[0] + 0.1, last[1]]);  // a dot; a line of no length may be left out
    };
    pad.onpointermove = (event) => {
      if (event.pointerId !== pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event])
        this.line(last, last = place(each));
    };
    pad.onpointerup = pad.onpointercancel = (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      this.stage.tell();
    };
    const move = () => {
      cursor.style.left = `${at[0] / 2.8}%`, cursor.style.top = `${at[1] / 2.8}%`;
      cursor.classList.toggle("lowered", lowered);
    };
    pad.onkeydown = (event) => {
      const step = ARROWS[event.key], before = at;
      if (step) at = at.map((number, i) => Math.min(Math.max(number + 10 * step[1 - i], 10), 270));
      else if (event.key === " ") lowered = !lowered;
      else if (event.key === "Delete" || event.key === "Backspace") this.clear();
      else return;
      event.preventDefault();
      move();
      if (event.key === " ") this.stage.speak(lowered ? "pen down" : "pen up");
      if (!lowered || !(step || event.key === " ")) return;
      this.touched();
      this.line(before, at);
      this.stage.tell();
    };
    pad.onblur = () => { lowered = false; move(); };
    move();
  }

  touched() {  // whoever draws wipes away what was there to begin with
    this.stage.pointed = this.stage.chosen = null;
    if (this.example) this.clear();
  }

  line(from, to) {
    for (const paper of [this.ink, this.sharp]) {
      Object.assign(paper, { lineCap: "round", lineJoin: "round", lineWidth: this.width.value });
      paper.beginPath();
      paper.moveTo(...from);
      paper.lineTo(...to);
      paper.stroke();
    }
    this.stage.soon();
    this.stage.drew();
  }

  clear() {
    this._wipe();
    this.stage.look();
    this.stage.tell();
    this.stage.drew();
  }

  _wipe() {
    this.example = this.writing = false;
    this.stage.chosen = null;  // another drawing, another answer to explain
    for (const paper of [this.ink, this.sharp]) paper.clearRect(0, 0, 280, 280);
  }

  put(row, side) {  // a picture: 0..1, 1 is ink (side * side,)
    const small = document.createElement("canvas");
    small.width = small.height = side;
    const context = small.getContext("2d"), picture = context.createImageData(side, side);
    row.forEach((number, i) => { picture.data[4 * i + 3] = 255 * number; });
    context.putImageData(picture, 0, 0);
    this._wipe();
    for (const paper of [this.ink, this.sharp]) paper.drawImage(small, 0, 0, 280, 280);
    this.stage.look();
    this.stage.tell(false);
  }

  offer(images) {
    this.examples.onclick = () => {  // one that somebody wrote
      this.put(shares(images.row(Math.floor(Math.random() * images.rows))), 28);
      this.example = true;
      this.stage.tell();
    };
    this.examples.disabled = false;
  }

  async write(points) {  // as a hand would, a point after the other
    this.example = this.writing = true;
    for (let i = 1; i < points.length; i++) {
      if (!this.writing) return;  // somebody draws already
      this.line(points[i - 1], points[i]);
      if (!calm) await new Promise((go) => setTimeout(go, 60));
    }
    this.stage.look();
  }

  get grey() {  // the sheet as bytes, 255 = paper (280 * 280,)
    const { data } = this.ink.getImageData(0, 0, 280, 280);
    return new Uint8Array(280 * 280).map((_, i) => 255 - data[4 * i + 3]);
  }

  show(image) {  // what the network sees of it, (1, 784) bytes, or null
    paint(this.seen, shares(image?.data));
  }
}
