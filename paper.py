"""What is ink on a picture, and what is paper, shadow, table, a ruled line or a frame.

    ink = paper.ink(grey)  # (h, w) grey levels above the paper around, dark or light ink alike
    mask = ink > paper.level(ink)

Nothing here knows digits: which pieces of ink belong to one, handwriting.py says.
"""

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull

SMALL = 64  # pixels, at most, of the small copy on which light and paper are judged


BLANK = (
    "there is (nearly) nothing on it. Draw one digit, large and with a strong pen, "
    "or cut the picture so that the digit fills more of it."
)
LINES = (
    "lines, a frame, shadow or table cannot be told from the digit. Write on plain paper in even "
    "light, or cut the picture so that only paper is around the digit."
)


class Blank(ValueError):
    """There is (nearly) nothing on the paper."""


def ink(grey, even_light=False):
    """How much each pixel (h, w) differs from the paper around it, towards the ink."""
    grey = ndimage.gaussian_filter(grey, max(grey.shape) / 1000)  # the grain of the paper
    small = _small(grey)

    # Is the ink dark or light? It is what stands out most, seen from the border. Third powers let
    # the strong differences decide, and they keep their sign.
    detail = small - ndimage.gaussian_filter(small, max(small.shape) / 10, mode="nearest")
    edge = max(1, max(small.shape) // 16)
    inner = np.zeros(small.shape, bool)
    inner[edge:-edge, edge:-edge] = True
    detail -= np.median(detail[~inner])
    if (detail**3).sum() < 0:
        grey, small = -grey, -small

    # Ink is bright now. The paper is what is left when all that is narrower than a third of the
    # picture is taken away. Padded so that a slope of the light goes on beyond the border.
    if even_light:
        return grey - np.median(small[~inner])
    width = max(3, min(max(small.shape) // 3, min(small.shape)))
    small = np.pad(small, width, mode="reflect", reflect_type="odd")
    return grey - _large(
        ndimage.grey_opening(small, (width, width))[width:-width, width:-width], grey
    )


def level(ink):
    """Return the ink (h, w) with the paper at 0, and the level above which it is ink.

    Raises Blank if there is none.
    """
    # The paper is noisy. What exceeds four standard deviations, and 8 grey levels, may be ink.
    paper = ink[ink <= ink.max() / 2]
    middle = np.median(paper)
    ink = ink - middle
    start = at = max(8, 4 * 1.4826 * np.median(np.abs(paper - middle)))
    for _ in range(20):  # ink begins at half of its own typical strength, dark ink counting more
        strong = ink[ink > at]
        strength = (strong**2).sum() / strong.sum() if strong.size else 0
        at = max(start, strength / 2)
    if strength < 2 * start:
        raise Blank(BLANK)
    return ink, at


def _small(grey):
    small = Image.fromarray(grey)
    longest = round(SMALL * max(1, max(grey.shape) / min(grey.shape) / 3))  # more of a strip
    small.thumbnail((longest, longest), Image.Resampling.BOX, reducing_gap=None)
    return np.asarray(small)


def _large(small, grey):
    small = Image.fromarray(np.ascontiguousarray(small))
    return np.asarray(small.resize(grey.shape[::-1], Image.Resampling.BILINEAR))


def without_table(grey):
    """The picture (h, w) with what lies around its sheet of paper painted over, if it shows one:
    a rectangle, of one brightness, that differs sharply from all around it. None if it does not.
    """
    small = _small(grey)
    low, high = (np.percentile(small, p) for p in (2, 98))
    if min(small.shape) < 16 or high - low < 16:
        return None
    threshold = _otsu(small)
    for bright in (small > threshold, small <= threshold):
        pieces, count = ndimage.label(bright)
        sheet = ndimage.binary_fill_holes(pieces == np.bincount(pieces.ravel())[1:].argmax() + 1)
        around = ~ndimage.binary_dilation(sheet, iterations=2)
        inside = ndimage.binary_erosion(sheet, iterations=2, border_value=1)
        if around.sum() < 0.02 * sheet.size or not sheet.mean() > 0.2:
            continue
        edge = inside & ndimage.binary_dilation(around, iterations=6)
        beyond = around & ndimage.binary_dilation(inside, iterations=6)
        if bright[around].mean() > 0.1 or not edge.any() or not beyond.any():
            continue
        step = abs(np.median(small[edge]) - np.median(small[beyond]))
        if step < 0.4 * (high - low) or _rectangular(sheet) < 0.86:
            continue
        rows, columns = ndimage.distance_transform_edt(
            ~(inside & bright), return_distances=False, return_indices=True
        )
        filled = small[rows, columns]
        paint = _large((~inside).astype(np.float32), grey)
        return np.where(paint > 0.01, _large(filled, grey), grey)
    return None


def _otsu(small):
    """The grey level that parts a picture into two classes whose means differ most (N. Otsu 1979,
    "A Threshold Selection Method from Gray-Level Histograms")."""
    values = np.sort(small.ravel())
    counts = np.arange(1, len(values))
    sums = np.cumsum(values)
    means = sums[:-1] / counts, (sums[-1] - sums[:-1]) / (len(values) - counts)
    best = (counts * (len(values) - counts) * (means[1] - means[0]) ** 2).argmax()
    return (values[best] + values[best + 1]) / 2


def _rectangular(area):
    """The share of the smallest rectangle around an area (h, w) bool, turned as it may be."""
    points = np.argwhere(area)
    corners = points[ConvexHull(points).vertices]  # (n, 2)
    sides = np.diff(corners, axis=0, append=corners[:1])
    along = sides / np.linalg.norm(sides, axis=1, keepdims=True)  # (n, 2)
    across = along[:, ::-1] * (1, -1)
    lengths = [np.ptp(corners @ way.T, axis=0) + 1 for way in (along, across)]  # (n,)
    return len(points) / (lengths[0] * lengths[1]).min()


def without_lines(ink, at):
    """Ink and level as `level` returns them, without lines that the paper was printed with."""
    mask = ink > at
    lines = ruled(mask)
    if not lines.any():
        return ink, at
    rest = mask & ~lines
    fringe = ndimage.binary_dilation(
        lines, np.ones((3, 3)), iterations=max(1, max(ink.shape) // 300)
    )
    return level(np.where(fringe & ~rest, 0, ink))


def ruled(mask):
    """Which ink (h, w) bool belongs to thin straight lines that go from border to border."""
    lines = np.zeros(mask.shape, bool)
    for turn in (np.transpose, np.asarray):
        lines_turned = turn(lines)
        lines_turned |= _rows(turn(mask & ~lines))
    return lines


def _rows(mask):
    """The lines of `ruled` that go across: (h, w) bool."""
    height, width = mask.shape
    lines = np.zeros(mask.shape, bool)
    steps = np.diff(np.pad(mask, ((1, 1), (0, 0))).astype(np.int8), axis=0).T  # (w, h + 1)
    lengths = np.nonzero(steps < 0)[1] - np.nonzero(steps > 0)[1]  # of ink, down each column
    lengths = lengths[lengths <= max(mask.shape) // 40]
    if not lengths.size:
        return lines
    thick = int(1.5 * np.bincount(lengths).argmax()) + 1  # most are those of the lines, if any
    thin = mask & ~_opened(mask, thick + 1, axis=0)
    # A line may be hidden by strokes, and lean a little meanwhile.
    lean, gap = 1 + width // 150, width // 2
    wide = np.pad(ndimage.maximum_filter1d(thin, 2 * lean + 1, axis=0), ((0, 0), (gap, gap)))
    bridged = ~_opened(~wide, gap, axis=1)[:, gap:-gap]
    pieces, _ = ndimage.label(_opened(bridged, width // 3, axis=1))
    found = 0
    for piece, (rows, columns) in enumerate(ndimage.find_objects(pieces), start=1):
        down, across = rows.stop - rows.start, columns.stop - columns.start
        if across > 0.95 * width and down < thick + 2 * lean + 0.1 * width:
            line = thin[rows, columns] & (pieces[rows, columns] == piece)
            if line.any(axis=0).mean() > 0.4:
                lines[rows, columns] |= line
                found += 1
    return lines if found > 1 else np.zeros(mask.shape, bool)


def _opened(mask, length, axis):
    """The mask (h, w) without what is shorter than `length` along the axis."""
    length |= 1  # odd, so that it has a middle
    shrunk = ndimage.minimum_filter1d(mask, length, axis=axis, mode="constant", cval=1)
    return ndimage.maximum_filter1d(shrunk, length, axis=axis, mode="constant", cval=0) & mask


def frames(pieces, boxes):
    """Which pieces of ink are a frame or axes: others lie within, and nearly all of it is straight
    lines, down and across. Returns their numbers."""
    found = []
    for piece, box in enumerate(boxes, start=1):
        height, width = (part.stop - part.start for part in box)
        if min(height, width) < 0.25 * max(pieces.shape):
            continue
        area = pieces[box] == piece
        straight = _opened(area, width // 2, axis=1) | _opened(area, height // 2, axis=0)
        inner = np.unique(pieces[box][~area])
        large = [
            other
            for other in inner
            if other and max(p.stop - p.start for p in boxes[other - 1]) > 0.15 * max(height, width)
        ]
        if large and straight.sum() > 0.8 * area.sum():
            found.append(piece)
    return found
