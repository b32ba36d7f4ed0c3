// Where the drawing pad is taught: what the drawing should have been, and what was taught so far. The
// learning itself is the kernel's work, see panels/teaching.py.

const DESK = `
<p class="row"><span id="should">It should be</span>
  <span class="choices" role="group" aria-labelledby="should"></span>
  <input type="text" maxlength="12" size="14" placeholder="or a sign of yours"
    aria-label="A sign of your own: its name, up to 12 letters">
  <button type="button" class="named">Teach it</button></p>
<p class="told" role="status"></p>
<div class="drawings" role="group" aria-label="Your drawings. Press one to take it away."></div>
<p class="row files"><button type="button">Keep</button><button type="button">Load</button>
  <button type="button">Forget all</button></p>`;

class Desk {
  constructor(root, stage, model) {
    Object.assign(this, { stage, model });
    root.className = "desk";
    root.innerHTML = DESK;
    const find = (name) => root.querySelector(name);
    this.told = find(".told"), this.choices = find(".choices"), this.drawings = find(".drawings");
    this.name = find("input");
    find(".named").onclick = () => this.name.value.trim() && this.teach(this.name.value.trim());
    this.name.onkeydown = (event) => { if (event.key === "Enter") find(".named").click(); };
    const does = { Keep: "keep", Load: "load", "Forget all": "forget" };
    for (const button of root.querySelectorAll(".files button"))
      button.onclick = () => this.ask({ do: does[button.textContent] });
    this.show();
  }

  ask(message) {
    this.told.textContent = "…";
    clearTimeout(this.silent);
    this.silent = setTimeout(() => { this.told.textContent = SILENT; }, 5000);
    this.model.send(message);
  }

  teach(what) {  // the drawing is this
    const { image, sheet, why } = this.stage;
    if (!image) {
      this.told.textContent = sheet.grey.every((pixel) => pixel === 255) ? "Draw it first." : why;
      return;
    }
    this.name.value = "";
    sheet.example = true;  // the next stroke begins another drawing
    this.ask({ do: "teach", what, image: btoa(String.fromCharCode(...image.data)) });
  }

  show() {
    const { signs, says, taught, images } = this.model.get("lesson");
    clearTimeout(this.silent);
    this.told.textContent = says;
    const names = [...numbers(10), ...signs];
    if (String(names) !== this.shown) {
      this.shown = String(names);
      this.choices.replaceChildren();
      for (const name of names) {
        const button = make(this.choices, "button", { type: "button", textContent: name });
        button.onclick = () => this.teach(name);
      }
    }
    const bytes = Uint8Array.from(atob(images), (letter) => letter.charCodeAt(0));
    this.drawings.replaceChildren();
    taught.forEach((what, i) => {
      const button = make(this.drawings, "button", { type: "button" });
      const canvas = make(button, "canvas", { className: "paper", width: 28, height: 28 });
      paint(canvas, shares(bytes.subarray(784 * i, 784 * i + 784)));
      make(button, "small", { textContent: `${what} ×` });
      button.setAttribute("aria-label", `Drawing ${i + 1}, taught as ${what}: take it away`);
      button.onclick = () => this.ask({ do: "drop", place: i });
    });
  }
}
