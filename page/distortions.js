// More than one look at a digit, each at a copy that is distorted a little. As distortions.py.

// Each new pixel of images (n, 784) is looked up in the old at matrix @ place + shift, the place
// counted from the middle, as the mix of the four pixels around; outside there is 0.
function affine(images, [a, b, c, d, down, right]) {  // bytes
  const side = Math.sqrt(images.columns), centre = (side - 1) / 2;
  const moved = new Matrix(images.rows, images.columns, new Uint8Array(images.data.length));
  for (let i = 0; i < images.rows; i++) {
    const old = images.row(i), fresh = moved.row(i);
    const at = (row, column) =>
      (row < 0 || column < 0 || row >= side || column >= side ? 0 : old[row * side + column]);
    for (let pixel = 0; pixel < fresh.length; pixel++) {
      const row = Math.floor(pixel / side) - centre, column = pixel % side - centre;
      const y = a * row + b * column + down + centre, x = c * row + d * column + right + centre;
      const top = Math.floor(y), left = Math.floor(x), low = y - top, far = x - left;
      const above = at(top, left) * (1 - far) + at(top, left + 1) * far;
      const below = at(top + 1, left) * (1 - far) + at(top + 1, left + 1) * far;
      fresh[pixel] = rint(above * (1 - low) + below * low);
    }
  }
  return moved;
}

function look(net, images, maps) {  // what the network says, (n, 10), its last sums averaged
  const last = net.weights.length - 1;
  const sums = maps.map((map) => net.sums(net.forward(affine(images, map)).at(-2), last));
  const mean = sums[0].map((_, i) => sums.reduce((sum, z) => sum + z.data[i], 0) / maps.length);
  return net.activation(-1).value(mean);
}
