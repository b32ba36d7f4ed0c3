"""Your own handwriting: prepare a photo or a drawing of a digit as MNIST's digits were.

    image = handwriting.from_picture("my_seven.png")  # (784,) uint8, as a row of mnist.py's images

Ink is told from paper, the digit is cropped, its strokes get MNIST's width, and its centre of mass
goes to the middle of 28 x 28 pixels. Which digit it is, nn.py says.

Source of the preparation: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning
Applied to Document Recognition", Proceedings of the IEEE, 1998.
"""

import contextlib
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
# Width of a stroke in pixels of the 20 x 20 box: measured on 5,000 digits of the training set
# (as in _stroke_like_mnist, enlarged five times) 2.5 in the middle, and 1.7 to 4.0 in 90 % of them.
STROKE = (2.5, 4.0)
BLANK = (
    "there is (nearly) nothing on it. Draw one digit, large and with a strong pen, "
    "or cut the picture so that the digit fills more of it."
)


def from_picture(path):
    """Return the digit of a photo or drawing as an image (784,) uint8, prepared as MNIST's were.

    One digit on plain paper, of any size and colour, dark on light or light on dark; PNG, JPEG,
    GIF, BMP, TIFF, WebP or PPM, also with transparency. See `prepare` for what is done to it.

    Raises FileNotFoundError, and ValueError if it is no picture or there is no digit on it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                grey = _grey(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no picture {path} (looked in {Path.cwd()}). Check its name and its folder."
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(
            f"{path} has too many pixels. Cut the digit out, or save the picture smaller."
        ) from None
    except Exception as error:  # a broken picture may raise anything
        raise ValueError(
            f"{path} cannot be read as a picture ({error}). Save it as PNG or JPEG."
        ) from None
    try:
        return prepare(grey)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _grey(picture):
    """The grey values of a picture, 0..255, (height, width) float32."""
    if picture.mode.startswith("I"):  # 16 bits
        return np.asarray(picture, np.float32) / 257
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"), np.float32)
    picture = picture.convert("RGBA")
    alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
    grey = np.asarray(picture.convert("L"), np.float32)
    seen = grey[alpha > 0.5]
    if seen.size > alpha.size / 5 and np.ptp(seen) > 64:
        backing = np.median(seen)  # paper and ink, cut out
    else:
        backing = 255 if seen.sum() < 128 * seen.size else 0  # ink alone
    return grey * alpha + backing * (1 - alpha)


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
    digit, cut = _digit(_ink(grey))
    if cut:  # ink along the border passes for shadow, so look again as if the light were even
        with contextlib.suppress(ValueError):
            digit, _ = _digit(_ink(grey, even_light=True))
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
    return image.ravel()  # (784,)


def _ink(grey, even_light=False):
    """How much each pixel differs from the paper around it, towards the ink: (h, w)."""
    side = max(grey.shape)
    if side > 1000:
        grey = np.asarray(Image.fromarray(grey).reduce(-(-side // 1000)))
        side = max(grey.shape)
    grey = ndimage.gaussian_filter(grey, side / 1000)  # the grain of the paper
    small = Image.fromarray(grey)
    small.thumbnail((64, 64), Image.Resampling.BOX, reducing_gap=None)
    small = np.asarray(small)

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
    width = max(3, max(small.shape) // 3)
    small = np.pad(small, width, mode="reflect", reflect_type="odd")
    paper = ndimage.grey_opening(small, (width, width))[width:-width, width:-width]
    paper = Image.fromarray(np.ascontiguousarray(paper))
    return grey - np.asarray(paper.resize(grey.shape[::-1], Image.Resampling.BILINEAR))


def _digit(ink):
    """Return where the digit is, (h, w) bool, 200 pixels or more on its longer side, cropped;
    and whether the border of the picture cuts it.
    """
    # The paper is noisy. What exceeds four standard deviations, and 8 grey levels, may be ink.
    paper = ink[ink <= ink.max() / 2]
    middle = np.median(paper)
    ink = ink - middle
    start = level = max(8, 4 * 1.4826 * np.median(np.abs(paper - middle)))
    for _ in range(20):  # ink begins at half of its own typical strength, dark ink counting more
        strong = ink[ink > level]
        strength = (strong**2).sum() / strong.sum() if strong.size else 0
        level = max(start, strength / 2)
    if strength < 2 * start:
        raise ValueError(BLANK)

    # Pieces that hang together: leave out specks, and the table or a frame along the border.
    pieces, count = ndimage.label(ink > level, np.ones((3, 3)))
    mass = ndimage.sum_labels(ink, pieces, range(count + 1))  # (count + 1,)
    mass[0] = 0  # the paper
    largest = ndimage.find_objects(pieces)[mass.argmax() - 1]
    if max(part.stop - part.start for part in largest) < max(3, max(ink.shape) / 50):
        raise ValueError(BLANK)
    keep = mass >= 0.03 * mass.max()
    touching = np.zeros(count + 1, bool)
    touching[np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])] = True
    if mass[keep & ~touching].sum() > mass[keep & touching].sum() / 4:
        keep &= ~touching
    ink[(pieces > 0) & ~keep[pieces]] = 0
    cut = bool((keep & touching).any())

    rows, columns = np.nonzero(keep[pieces])
    ink = np.pad(ink, 1)[rows.min() : rows.max() + 3, columns.min() : columns.max() + 3]
    return _crop(ndimage.zoom(ink, max(1, 200 / max(ink.shape)), order=1) > level), cut


def _stroke_like_mnist(digit):
    """Thicken or thin the strokes of a digit (h, w) bool, evenly from both sides."""
    side = max(digit.shape)
    inside = ndimage.distance_transform_edt(np.pad(digit, 1))[1:-1, 1:-1]
    width = 4 * inside[digit].mean() - 2  # a bar has distances 1, 2 ... width / 2 on each side
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
