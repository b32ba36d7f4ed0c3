"""Your own handwriting: prepare a photo or a drawing of a digit as MNIST's digits were.

    image = handwriting.from_picture("my_seven.png")  # (784,) uint8, as a row of mnist.py's images
    images = handwriting.from_page("my_number.jpg")  # (n, 784), from left to right, row by row

Ink is told from paper, the digit is cropped, its strokes get MNIST's width, and its centre of mass
goes to the middle of 28 x 28 pixels. Which digit it is, nn.py says.

Source of the preparation: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning
Applied to Document Recognition", Proceedings of the IEEE, 1998.
"""

import contextlib

import numpy as np
from PIL import Image
from scipy import ndimage

import paper
import pictures
import several

# Width of a stroke in pixels of the 20 x 20 box: measured on 5,000 digits of the training set
# (as in _stroke_like_mnist, enlarged five times) 2.5 in the middle, and 1.7 to 4.0 in 90 % of them.
STROKE = (2.5, 4.0)


def from_picture(picture):
    """Return the digit of a photo or drawing as an image (784,) uint8, prepared as MNIST's were.

    picture  a path (PNG, JPEG, GIF, BMP, TIFF, WebP or PPM), a PIL image or an array: one digit
             on paper, of any size and colour, dark on light or light on dark; pictures.grey says
             which numbers are taken

    Raises FileNotFoundError, and ValueError if it is no picture, or has no digit or several on it.
    """
    shown = steps(picture)
    count = len(several.digits(shown["pieces"]))
    if count > 1:
        raise ValueError(
            f"{pictures.name(picture)}: there seem to be {count} digits on it. "
            "handwriting.from_page reads them all, or cut out one."
        )
    return shown["centre"].ravel()  # (784,)


def from_page(picture):
    """Return all digits of a page as images (n, 784) uint8, from left to right, row by row.

    picture  as in from_picture; digits that touch each other are taken for one

    Raises FileNotFoundError, and ValueError if it is no picture, or has no digit on it.
    """
    grey = pictures.grey(picture, side=2000)
    with _named(picture):
        written = _written(grey)
    digits = several.digits(written["pieces"])
    return np.array([_fitted(written, numbers)["centre"].ravel() for numbers in digits])


def steps(picture):
    """What from_picture does, step by step: a dict of pictures, to be looked at.

    "grey"          the picture, or what is left of it when the table is painted over: (h, w)
    "ink"           grey levels above the paper around; "level": where ink begins, a number
    "threshold"     what is above it: (h, w) bool
    "pieces"        those that are kept, numbered from 1
    "stroke width"  the digit, cropped, its strokes as wide as MNIST's
    "box"           fitted into 20 x 20 pixels
    "centre"        in the middle of 28 x 28
    """
    grey = pictures.grey(picture)
    with _named(picture):
        return _steps(grey)


def prepare(grey):
    """Return a drawing, grey values 0..255 in an array (height, width), as an image (784,) uint8.

    As LeCun et al. (1998) made MNIST from black and white scans: the digit is cropped, fitted into
    20 x 20 pixels with its proportions kept and its edges smoothed to grey, and put into 28 x 28
    so that its centre of mass is in the middle. Before that, ink and paper are told apart, light
    that is uneven is evened out, small specks are left out, and a stroke much thinner or thicker
    than MNIST's becomes as wide as MNIST's. No position, size or brightness is left over.

    Raises ValueError if there is no digit on it.
    """
    grey = np.asarray(grey, np.float32)
    if grey.ndim != 2 or min(grey.shape) < 3 or not np.isfinite(grey).all():
        raise ValueError(f"Expected grey values (height, width), 3 x 3 or more, not {grey.shape}.")
    return _steps(pictures.smaller(grey))["centre"].ravel()  # (784,)


@contextlib.contextmanager
def _named(picture):
    """Say which picture it was in which no digit was found."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{pictures.name(picture)}: {error}") from None


def _steps(grey):
    written = _written(grey)
    return written | _fitted(written, np.unique(written["pieces"])[1:])


def _written(grey):
    """Ink and its pieces, on a page of grey values (h, w); see `steps`."""
    bare = paper.without_table(grey)
    if bare is not None:
        with contextlib.suppress(paper.Blank):  # it was no table, but the digit
            return _pieces(bare)[0]
    written, cut = _pieces(grey)
    if cut:  # ink along the border passes for shadow, so look again as if the light were even
        with contextlib.suppress(paper.Blank):
            written, _ = _pieces(grey, even_light=True)
    return written


def _pieces(grey, even_light=False):
    """Return a page's ink and which pieces of it hang together and are kept; and whether the
    border of the picture cuts one of them.
    """
    ink = paper.ink(grey, even_light)
    light, (ink, level) = grey, paper.without_lines(*paper.level(ink))
    pieces, count = ndimage.label(ink > level, np.ones((3, 3)))
    boxes = ndimage.find_objects(pieces)
    mass = ndimage.sum_labels(ink, pieces, range(count + 1))  # (count + 1,)
    mass[0] = 0  # the paper

    # Leave out specks, frames, and the table along the border.
    for frame in paper.frames(pieces, boxes):
        inside = np.unique(pieces[boxes[frame - 1]])
        mass[np.setdiff1d(np.arange(count + 1), inside)] = mass[frame] = 0
    if max(part.stop - part.start for part in boxes[mass.argmax() - 1]) < max(
        3, max(ink.shape) / 50
    ):
        raise paper.Blank(paper.BLANK)
    keep = mass >= 0.03 * mass.max()
    touching = np.zeros(count + 1, bool)
    touching[np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])] = True
    if mass[keep & ~touching].sum() > mass[keep & touching].sum() / 4:
        keep &= ~touching
    border = np.concatenate([pieces[0], pieces[:, -1], pieces[-1, ::-1], pieces[::-1, 0]])
    if (np.diff(keep[border].astype(int)) > 0).sum() > 6:  # a digit leaves the picture less often
        raise ValueError(paper.LINES)
    ink[(pieces > 0) & ~keep[pieces]] = 0
    threshold = ink > level
    pieces[~keep[pieces]] = 0
    written = {"grey": light, "ink": ink, "level": level, "threshold": threshold, "pieces": pieces}
    return written, bool((keep & touching).any())


def _fitted(written, numbers):
    """The digit that some of the pieces are, on the way into 28 x 28 pixels."""
    ink, pieces = (np.pad(written[name], 1) for name in ("ink", "pieces"))
    boxes = ndimage.find_objects(pieces)
    sides = zip(*(boxes[number - 1] for number in numbers), strict=True)
    box = tuple(slice(min(s.start for s in x) - 1, max(s.stop for s in x) + 1) for x in sides)
    others = (pieces[box] > 0) & ~np.isin(pieces[box], numbers)
    ink = np.where(others, 0, ink[box])
    digit = _crop(ndimage.zoom(ink, max(1, 200 / max(ink.shape)), order=1) > written["level"])
    digit = _stroke_like_mnist(digit)  # (h, w) bool
    height, width = digit.shape
    scale = 20 / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(digit * np.float32(255)).resize(size, Image.Resampling.BOX))
    image = np.zeros((28, 28), np.uint8)
    row, column = (
        min(max(round(14 - centre), 0), 28 - length)
        for centre, length in zip(ndimage.center_of_mass(small), small.shape, strict=True)
    )
    image[row : row + small.shape[0], column : column + small.shape[1]] = np.round(
        small * (255 / small.max())
    )
    return {"stroke width": digit, "box": small, "centre": image}


def _stroke_like_mnist(digit):
    """Thicken or thin the strokes of a digit (h, w) bool, evenly from both sides."""
    side = max(digit.shape)
    inside = ndimage.distance_transform_edt(np.pad(digit, 1))[1:-1, 1:-1]
    width = 4 * inside[digit].mean() - 2  # a bar has distances 1, 2 ... width / 2 on each side
    if width > 0.4 * side:
        raise ValueError(paper.LINES)  # a blot
    wanted = min(max(width * 20 / side, STROKE[0]), STROKE[1])  # in pixels of the 20 x 20
    # The box grows with the strokes: (width + 2 grow) * 20 = wanted * (side + 2 grow)
    grow = (wanted * side - 20 * width) / (20 - wanted) / 2
    margin = max(0, int(grow)) + 2
    digit = np.pad(digit, margin)
    inside, outside = (ndimage.distance_transform_edt(area) for area in (digit, ~digit))
    return _crop(outside - inside <= grow)


def _crop(digit):
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
