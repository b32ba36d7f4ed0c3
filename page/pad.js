// The drawing pad of the notebooks: the stage, as a widget. The kernel sends the network whenever
// it has changed, and gets the drawing; the answers are computed here, also while it is at work.

function bytes_in(view) {  // a copy, as numbers of four bytes cannot begin anywhere
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function network(options, bytes) {  // weights and biases one after the other, as float32
  const initial = (_, shape) => new Matrix(...shape);
  const net = new NeuralNetwork(options.layers, { ...options, initial });
  const flat = new Float32Array(bytes.buffer);
  let at = 0;
  for (const { data } of net.weights.concat(net.biases)) {
    data.set(flat.subarray(at, at + data.length));
    at += data.length;
  }
  return net;
}

function unknown({ hidden, output }) {  // why a network cannot be shown
  const name = [hidden, output].find((one) => !(one in ACTIVATIONS));
  return name && `This pad knows ${Object.keys(ACTIVATIONS).join(", ")}, but not ${name}: `
    + "it needs a row in page/activations.js, too.";
}

function render({ model, el }) {
  const let_keys_go = own_keys(el);  // arrow keys draw, they do not go to another cell
  const root = make(el, "div", { className: "stage" });
  const trained = () => network(model.get("options"), bytes_in(model.get("parameters")));
  const maps = new Float32Array(bytes_in(model.get("maps")).buffer);  // (looks, 6)
  let timer = null, sending = false;

  function send(grey) {
    clearTimeout(timer);
    timer = null;
    sending = true;  // our own change is on the sheet already
    model.set("pixels", new DataView(grey.buffer));
    model.save_changes();
    sending = false;
  }
  const stage = new Stage(root, trained(), {
    refusal: unknown(model.get("options")),
    names: model.get("options").names,
    maps: numbers(maps.length / 6).map((i) => maps.subarray(6 * i, 6 * i + 6)),
    drew: () => { timer ??= setTimeout(() => send(stage.sheet.grey), 80); },
  });

  function learned() {
    stage.refusal = unknown(model.get("options"));
    stage.names = model.get("options").names;
    stage.use(trained());
  }
  function put() {  // what the kernel has: nothing, or the drawing before the page was closed
    const pixels = bytes_in(model.get("pixels"));
    if (!sending) stage.sheet.put(new Float32Array(pixels).map((pixel) => 1 - pixel / 255), 280);
  }
  stage.sheet.examples.remove();  // there are none here
  const desk = model.get("lesson").signs && new Desk(make(root, "div"), stage, model);
  const heard = { "change:parameters": learned, "change:options": learned, "change:pixels": put,
    "change:lesson": () => desk?.show() };
  for (const [event, listener] of Object.entries(heard)) model.on(event, listener);
  put();
  return () => {
    let_keys_go();
    clearTimeout(timer);
    stage.observer.disconnect();
    for (const [event, listener] of Object.entries(heard)) model.off(event, listener);
  };
}

export default { render };
