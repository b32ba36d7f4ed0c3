"""What others make of a picture that a network drew: is it a copy, and who else can read it?"""

from html import escape

import numpy as np

from .markup import digits_html


class Witnesses:
    """The known picture nearest to one that is shown, and what other readers say of it.

    known    pictures (n, 784), bytes or 0.01..1.00, that it might be a copy of; or None
    readers  by name, each with predict(x (1, 784)) -> its answer: another network, or an
             estimator of scikit-learn that was taught pictures of 0.01..1.00
    """

    def __init__(self, net, known=None, readers=None):
        self.readers = readers or {}
        self.known = None if known is None else net.as_input(known)  # (n, 784)
        if known is not None:
            self.squares = (self.known**2).sum(axis=1)  # (n,)

    def nearest(self, image):
        """The known picture nearest to the image (784,), and how far apart they are."""
        n = (self.squares - 2 * self.known @ image).argmin()  # |k - x|^2 less |x|^2
        return self.known[n], float(np.linalg.norm(self.known[n] - image))

    def html(self, image):
        says = (
            f"{name}: {reader.predict(image[None])[0]}" for name, reader in self.readers.items()
        )
        lines = "".join(f"<div>{escape(line)}</div>" for line in says)
        shown = f"<div>Others say</div>{lines}" if lines else ""
        if self.known is not None:
            picture, away = self.nearest(image)
            caption = f"{away:.1f} away"
            shown += f"<div>Nearest of {len(self.known):,}</div>{digits_html([picture], [caption])}"
        return f'<div style="width:160px; line-height:1.5">{shown}</div>'
