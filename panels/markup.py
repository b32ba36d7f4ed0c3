"""What the panels show as HTML: it is there in a millisecond, so they can draw while you draw.

Digits are dark on light, in the colours of plots.py. Every text that is put in is escaped: a label
or a message may hold anything.
"""

import base64
import io
from html import escape

import numpy as np
from PIL import Image

from plots import BLUE, GREY, ORANGE


def _image_html(image, side):
    pixels = image if image.dtype == np.uint8 else np.round(image * 255).astype(np.uint8)
    rows = round(len(pixels) ** 0.5)
    file = io.BytesIO()
    Image.fromarray(255 - pixels.reshape(rows, rows)).save(file, format="png")
    data = base64.b64encode(file.getvalue()).decode()
    style = f"width:{side}px; height:{side}px; image-rendering:pixelated; border:1px solid {GREY}"
    return f'<img src="data:image/png;base64,{data}" style="{style}; box-sizing:border-box">'


def digits_html(images, captions, highlight=()):
    """A row of images (n, 784), bytes or 0..1, as plots.digits draws them."""
    cells = ""
    for n, (image, caption) in enumerate(zip(images, captions, strict=True)):
        color = f"color:{ORANGE}; font-weight:bold" if n in highlight else ""
        caption = escape(str(caption)).replace("\n", "<br>")
        cells += f'<div style="{color}">{_image_html(image, 66)}<br>{caption}</div>'
    style = "display:flex; flex-wrap:wrap; gap:8px; text-align:center; line-height:1.35"
    return f'<div style="{style}">{cells}</div>'


def answer_html(title, image, outputs, verdict):
    """An image (784,) and the outputs as bars, the largest in orange; None draws empty ones."""
    bars, values = "", np.zeros(10) if outputs is None else outputs
    for n, value in enumerate(values):
        color = ORANGE if value > 0 and n == np.argmax(values) else BLUE
        bar = f"height:{112 * min(value, 1):.1f}px; background:{color}"
        bars += (
            f'<div style="width:19px" title="{n}: {value:.2f}">'
            f'<div style="{bar}; border-bottom:1px solid {GREY}"></div>{n}</div>'
        )
    row = "display:flex; align-items:flex-end; text-align:center; line-height:1.5"
    return (
        f'<div style="width:370px; line-height:1.5"><div>{escape(title)}</div>'
        f'<div style="{row}; gap:16px; height:144px">{_image_html(image, 140)}'
        f'<div style="{row}; gap:2px">{bars}</div></div><div><b>{escape(verdict)}</b></div></div>'
    )
