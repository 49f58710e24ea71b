"""Pictures inside of a page: as text, with the size at which they are shown."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["MEDIA_TYPES", "Picture", "picture_of", "png_size"]

MEDIA_TYPES = ("image/png", "image/svg+xml")

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CSS_PIXELS_PER_INCH = 80
"""Fewer than the 96 of CSS: text of 13 points in a figure is then as large as the text of the page."""

_METRES_PER_INCH = 0.0254
_DEFAULT_RESOLUTION = 150.0


@dataclass(frozen=True)
class Picture:
    """A picture as the page holds it.

    Attributes:
        address: A `data:` URI.
        width: Shown width in CSS pixels, where it is known.
        height: Shown height in CSS pixels, where it is known.
    """

    address: str
    width: int | None
    height: int | None


def picture_of(content: bytes, media_type: str) -> Picture:
    """Return a picture as the page holds it; a PNG file is shown at the size in inches that it states.

    Raises:
        ValueError: If the type is not in `MEDIA_TYPES`, or a PNG file is not one.

    Examples:
        >>> picture_of(b"<svg/>", "image/svg+xml")
        Picture(address='data:image/svg+xml;base64,PHN2Zy8+', width=None, height=None)
    """
    if media_type not in MEDIA_TYPES:
        raise ValueError(f"a picture of the type {media_type!r}, expected {' or '.join(MEDIA_TYPES)}")
    address = f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
    if media_type != "image/png":
        return Picture(address, None, None)
    width, height, resolution = png_size(content)
    scale = _CSS_PIXELS_PER_INCH / resolution
    return Picture(address, max(1, round(width * scale)), max(1, round(height * scale)))


def png_size(content: bytes) -> tuple[int, int, float]:
    """Return the width and height of a PNG file in pixels, and its resolution in pixels per inch.

    The resolution is 150 where the file states none (chunk `pHYs`, PNG specification 11.3.4.3).

    Raises:
        ValueError: If the bytes are not those of a PNG file.
    """
    size: tuple[int, int] | None = None
    for kind, data in _chunks(content):
        if kind == b"IHDR" and len(data) == 13:
            size = struct.unpack(">II", data[:8])
        elif kind == b"pHYs" and len(data) == 9 and size is not None:
            per_metre, _, unit = struct.unpack(">IIB", data)
            if unit == 1 and per_metre > 0:
                return (*size, per_metre * _METRES_PER_INCH)
        elif kind == b"IDAT":
            break
    if size is None or 0 in size:
        raise ValueError(f"{len(content)} bytes that are not a PNG file")
    return (*size, _DEFAULT_RESOLUTION)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the data of each chunk, up to the first that is cut off."""
    if not content.startswith(_SIGNATURE):
        return
    place = len(_SIGNATURE)
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        data = content[place + 8 : place + 8 + length]
        if len(data) < length:
            return
        yield kind, data
        place += 12 + length
