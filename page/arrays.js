// The little of NumPy that the network needs: rows of numbers, their products, and chance.

class Matrix {
  // rows x columns numbers, one row after the other in a flat typed array. Bytes are pixels.
  constructor(rows, columns, data = new Float32Array(rows * columns), turned = false) {
    Object.assign(this, { rows, columns, data, turned });
  }

  get T() {  // a view: the same numbers, rows and columns exchanged
    return new Matrix(this.columns, this.rows, this.data, !this.turned);
  }

  row(i) {
    return this.data.subarray(i * this.columns, (i + 1) * this.columns);
  }

  map(f) {  // f(number, index) -> number
    return new Matrix(this.rows, this.columns, this.data.map(f));
  }

  like(rows = this.rows, columns = this.columns) {  // zeros of the same kind
    return new Matrix(rows, columns, new this.data.constructor(rows * columns));
  }

  take(rows) {
    const taken = this.like(rows.length, this.columns);
    rows.forEach((row, i) => taken.row(i).set(this.row(row)));
    return taken;
  }
}

// a @ b: (n, m) @ (m, k) -> (n, k). Added up in 64 bits, kept in b's kind: 32 bits, as a rule.
function matmul(a, b) {
  const n = a.rows, m = a.columns, k = b.columns, A = a.data, B = b.data, out = b.like(n, k);
  const [a_down, a_right] = a.turned ? [1, n] : [m, 1];  // steps to the next row and column
  const [b_down, b_right] = b.turned ? [1, m] : [k, 1];
  // Two rows and four columns at a time, as each number that is fetched serves several sums: three
  // times as fast. At the edges the last row or column is done again.
  for (let i = 0; i < n; i += 2) {
    const i1 = Math.min(i + 1, n - 1), second = (i1 - i) * a_down;
    for (let j = 0; j < k; j += 4) {
      const j1 = Math.min(j + 1, k - 1), j2 = Math.min(j + 2, k - 1), j3 = Math.min(j + 3, k - 1);
      const one = (j1 - j) * b_right, two = (j2 - j) * b_right, three = (j3 - j) * b_right;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
      for (let l = 0, p = i * a_down, q = j * b_right; l < m; l++, p += a_right, q += b_down) {
        const x = A[p], y = A[p + second], b0 = B[q], b1 = B[q + one], b2 = B[q + two];
        const b3 = B[q + three];
        s0 += x * b0, s1 += x * b1, s2 += x * b2, s3 += x * b3;
        t0 += y * b0, t1 += y * b1, t2 += y * b2, t3 += y * b3;
      }
      const r = i * k, r1 = i1 * k;
      out.data[r + j] = s0, out.data[r + j1] = s1, out.data[r + j2] = s2, out.data[r + j3] = s3;
      out.data[r1 + j] = t0, out.data[r1 + j1] = t1, out.data[r1 + j2] = t2, out.data[r1 + j3] = t3;
    }
  }
  return out;
}

function sum_columns(matrix) {  // (n, k) -> (1, k)
  const sums = new Float64Array(matrix.columns);
  matrix.data.forEach((number, i) => { sums[i % matrix.columns] += number; });
  return matrix.like(1).map((_, k) => sums[k]);
}

function argmax(row) {
  return row.reduce((best, number, i) => (number > row[best] ? i : best), 0);
}

function rint(number) {  // to the nearest whole number, halves to the even one, as NumPy's
  const low = Math.floor(number), over = number - low;
  return over < 0.5 || (over === 0.5 && low % 2 === 0) ? low : low + 1;
}

// Same seed, same numbers; but others than NumPy's. (G. Marsaglia 2003, "Xorshift RNGs")
class Random {
  constructor(seed = 0) {
    this.state = (seed + 1) * 0x9e3779b9 | 0 || 1;  // never 0
    for (let i = 0; i < 8; i++) this.uniform();  // small seeds are much alike at first
  }

  uniform() {  // 0 <= number < 1
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) / 2 ** 32;
  }

  normal() {  // mean 0, standard deviation 1 (Box and Muller 1958)
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  integers(low, high) {  // low <= number < high
    return low + Math.floor(this.uniform() * (high - low));
  }

  permutation(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const other = this.integers(0, i + 1);
      [order[i], order[other]] = [order[other], order[i]];
    }
    return order;
  }
}
