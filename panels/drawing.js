// A sheet to draw on. The kernel gets its pixels while you draw, and may set them: to clear it.

function render({ model, el }) {
  const size = model.get("size");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  canvas.className = "drawing-sheet";
  el.style.flex = "0 0 auto";  // or it may collapse beside other widgets
  el.append(canvas);
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  let pointer = null, last = null, timer = null, sending = false;

  function paint() {  // what the kernel has: nothing, or the drawing before the page was closed
    ink.fillStyle = "white";
    ink.fillRect(0, 0, size, size);
    const pixels = model.get("pixels");
    if (!pixels || pixels.byteLength !== size * size) return;
    const picture = ink.createImageData(size, size);
    for (let i = 0; i < size * size; i++) {
      picture.data.fill(pixels.getUint8(i), 4 * i, 4 * i + 3);
      picture.data[4 * i + 3] = 255;
    }
    ink.putImageData(picture, 0, 0);
  }

  function send() {
    clearTimeout(timer);
    timer = null;
    const data = ink.getImageData(0, 0, size, size).data;
    const pixels = new Uint8Array(size * size).map((_, i) => data[4 * i]);
    sending = true;
    model.set("pixels", new DataView(pixels.buffer));
    model.save_changes();
    sending = false;
  }

  function line(event) {
    const box = canvas.getBoundingClientRect(), scale = size / box.width;
    const point = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    ink.lineCap = ink.lineJoin = "round";
    ink.lineWidth = model.get("pen");
    ink.beginPath();
    ink.moveTo(...(last || point));
    ink.lineTo(...point);
    ink.stroke();
    last = point;
    timer = timer || setTimeout(send, 80);
  }

  function up(event) {
    if (event.pointerId !== pointer) return;
    pointer = last = null;
    send();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    event.preventDefault();
    line(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    (events.length ? events : [event]).forEach(line);
  });
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);

  const changed = () => sending || paint();  // our own change is on the sheet already
  model.on("change:pixels", changed);
  paint();
  return () => { clearTimeout(timer); model.off("change:pixels", changed); };
}

export default { render };
