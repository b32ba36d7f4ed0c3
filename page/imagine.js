// Run a network backwards: look for a picture that it takes for a 3. As imagine.py.
//
// canvas      { mean (1, 784), directions (80, 784) }: what pixels do in all digits together
// callback    called with the step, from 1, and the images (n, 784) so far: a film

function imagine(net, targets, canvas, { steps = 200, learning_rate = 0.01, distance = 7,
  jiggle = 2, rng = new Random(0), callback } = {}) {
  targets = net.as_targets(targets);  // (n, 10)
  const loss = `cross-entropy, ${net.output}` in LOSSES ? "cross-entropy" : undefined;
  const { mean, directions } = canvas, n = targets.rows;
  const amounts = new Matrix(n, directions.rows), velocity = new Matrix(n, directions.rows);
  const drawn = () => matmul(amounts, directions).map(  // (n, 784)
    (number, i) => Math.min(Math.max(number + mean.data[i % mean.columns], 0.01), 0.99));
  for (let step = 1; step <= steps; step++) {
    const images = drawn();  // (n, 784)
    const [down, right] = [rng.integers(-jiggle, jiggle + 1), rng.integers(-jiggle, jiggle + 1)];
    const moved = shifted(images, down, right);
    // Of the mean of n losses; times n it is that of each picture's own.
    const slope = net.input_gradient(moved, targets, loss).map((number) => number * n);  // (n, 784)
    const along = matmul(shifted(slope, -down, -right), directions.T);  // (n, 80)
    for (let i = 0; i < n; i++) {
      const length = Math.hypot(...amounts.row(i));
      const a = amounts.row(i), v = velocity.row(i), s = along.row(i);
      for (let k = 0; k < a.length; k++) {
        const pull = 0.3 * a[k] * (1 - distance / Math.max(length, 0.001));
        v[k] = 0.9 * v[k] - learning_rate * (s[k] + pull);
        a[k] += v[k];
      }
    }
    callback?.(step, images);
  }
  return drawn();
}

function shifted(images, down, right) {  // what leaves on one side comes in on the other
  const side = Math.sqrt(images.columns), moved = new Matrix(images.rows, images.columns);
  const wrapped = Array.from({ length: 3 * side }, (_, i) => i % side);  // place + side -> place
  for (let i = 0; i < images.rows; i++) {
    const from = images.row(i), to = moved.row(i);
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++)
        to[wrapped[row + down + side] * side + wrapped[column + right + side]] =
          from[row * side + column];
  }
  return moved;
}
