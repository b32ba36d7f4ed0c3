"""Any picture as grey values: a file, a PIL image or an array, of any size, depth and colour.

    grey = pictures.grey("my_seven.jpg")  # (height, width) float32, 0..255, side 1000 at most

What is large is made smaller as early as its format allows, so that a camera's photo takes a
fraction of a second. What is ink on it, paper.py says.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
# JPEG gets smaller while it is unpacked, the others take 4 bytes a pixel first.
MOST_PIXELS = {"JPEG": 50_000_000, "MPO": 50_000_000}  # MPO: a telephone's JPEG
MOST_OTHERS = 25_000_000
MOST_SIDE = 65_535  # JPEG's own limit: a million rows of one pixel take their time
TOO_LARGE = "has too many pixels. Cut the digit out, or save the picture smaller."
WHITES = (1, 16, 255, 4095, 65535)  # shares, scikit-learn's digits, 8, 12 and 16 bits


def grey(picture, side=1000):
    """The grey values of a picture, (height, width) float32, 0..255, on no side more than `side`.

    picture  a path, a PIL image or an array (height, width) or (height, width, 3 or 4). White in
             an array is the smallest of WHITES that holds it all (bytes: 1, a mask, or 255).

    A coloured picture becomes the mix of red, green and blue in which its parts differ most.

    Raises FileNotFoundError, and ValueError for what is no picture or has too many pixels.
    """
    if isinstance(picture, Image.Image):
        return _of_image(picture, side)
    if not isinstance(picture, str | Path):
        return _of_array(picture, side)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(picture, formats=FORMATS) as opened:
                return _of_image(opened, side)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no picture {name(picture)} (looked in {repr(str(Path.cwd())[-80:])}). "
            "Check its name and its folder."
        ) from None
    except (TooLarge, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooLarge(f"{name(picture)} {TOO_LARGE}") from None
    except Exception as error:  # a broken picture may raise anything
        raise ValueError(
            f"{name(picture)} cannot be read as a picture ({repr(str(error)[:80])}). "
            "Save it as PNG or JPEG."
        ) from None


class TooLarge(ValueError):
    """A picture with so many pixels that nothing of it is unpacked."""


def name(picture):
    """How a message calls the picture: short, and without signs that move the cursor."""
    return repr(str(picture)[-80:]) if isinstance(picture, str | Path) else "the picture"


def _of_image(picture, side):
    pixels = picture.width * picture.height
    if pixels > MOST_PIXELS.get(picture.format, MOST_OTHERS) or max(picture.size) > MOST_SIDE:
        raise TooLarge(f"The picture {TOO_LARGE}")
    picture.draft(picture.mode, (side, side))  # JPEG: 1/2, 1/4 or 1/8 of the pixels are unpacked
    clear = picture.has_transparency_data
    if picture.mode[0] in "IF":  # numbers, not colours
        return _of_array(np.asarray(ImageOps.exif_transpose(picture)), side)
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGBA" if clear else "L" if picture.mode == "1" else "RGB")
    picture = ImageOps.exif_transpose(smaller(picture, side))
    if picture.mode == "L":
        return np.asarray(picture, np.float32)
    if not clear or picture.getchannel("A").getextrema()[0] == 255:
        return _mixed(picture.convert("RGB"))
    alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
    shades = np.asarray(picture.convert("L"), np.float32)
    seen = shades[alpha > 0.5]
    if seen.size > alpha.size / 5 and np.ptp(seen) > 64:
        backing = np.median(seen)  # paper and ink, cut out
    else:
        backing = 255 if seen.sum() < 128 * seen.size else 0  # ink alone
    return shades * alpha + backing * (1 - alpha)


def _of_array(array, side):
    array = np.squeeze(np.asarray(array))
    colours = array.shape[2:]
    if array.dtype.kind not in "buif" or colours not in ((), (3,), (4,)) or array.ndim < 2:
        raise ValueError(
            "Expected a picture: a path, a PIL image, or an array of numbers (height, width) or "
            f"(height, width, 3), not {array.dtype} {array.shape}."
        )
    if array.size > 2 * MOST_OTHERS:
        raise TooLarge(f"The array {TOO_LARGE}")
    lowest, highest = array.min(initial=0), array.max(initial=0)
    if not (lowest >= 0 and highest <= WHITES[-1]):
        raise ValueError(
            f"Grey values are numbers from 0 to 1, 255, 4095 or 65535, not {lowest} to {highest}."
        )
    whites = (1, 255) if array.dtype == np.uint8 else WHITES
    white = next(white for white in whites if white >= highest)
    array = array.astype(np.float32) * np.float32(255 / white)
    if colours:
        return _of_image(Image.fromarray(np.rint(array).astype(np.uint8)), side)
    return smaller(array, side) if array.size else array


def smaller(grey, side=1000):
    """Grey values (height, width) with each side at most `side` pixels, by taking means."""
    picture = Image.fromarray(grey) if isinstance(grey, np.ndarray) else grey
    less = picture.reduce(max(1, -(-max(picture.size) // side)))
    return np.asarray(less) if isinstance(grey, np.ndarray) else less


def _mixed(picture):
    """Red, green and blue in the mix in which the parts of the picture differ most, be it in
    brightness or in colour alone: the first principal component of its details."""
    small = picture.copy()
    small.thumbnail((64, 64), Image.Resampling.BOX, reducing_gap=None)
    small = np.asarray(small, np.float32)  # (h, w, 3)
    detail = (small - ndimage.gaussian_filter(small, (6, 6, 0), mode="nearest")).reshape(-1, 3)
    mix = np.linalg.eigh(detail.T @ detail)[1][:, -1].astype(np.float32)  # (3,)
    mix /= np.abs(mix).sum() * np.sign(mix.sum() or 1)
    return np.asarray(picture, np.float32) @ mix - 255 * mix.clip(max=0).sum()  # 0..255
