"""Drawing primitives.

Points are complex numbers x + iy in the kitchen's units (x right, y towards the person), so that a sum moves a shape
and a product with a unit number turns it.
"""

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]  # blue, green, red; 0 … 255
Points = NDArray[np.complexfloating]
SHIFT = 4  # binary places of a pixel in OpenCV's drawing: slow motions stay smooth


class Canvas:
    """A square picture of the part of the kitchen within `reach` units of its middle."""

    def __init__(self, image: np.ndarray, reach: float) -> None:
        self.image = image  # (S, S, 3) uint8, drawn upon
        self.reach = reach
        self.unit = len(image) / (2 * reach)  # pixels per unit

    def pixels(self, points: Points) -> np.ndarray:
        """Convert points, complex (M,), to pixels, int32 (M, 2), fixed point with SHIFT binary places."""
        xy = np.ascontiguousarray(points, np.complex128).view(np.float64).reshape(-1, 2)
        return np.rint((xy + self.reach) * (self.unit * 2**SHIFT)).astype(np.int32)

    def pixel(self, point: complex) -> tuple[int, int]:
        """Convert one point as `pixels` does."""
        scale = self.unit * 2**SHIFT
        return round((point.real + self.reach) * scale), round((point.imag + self.reach) * scale)

    def fill(self, outline: Points, colour: Colour) -> None:
        """Fill a closed outline (M,)."""
        cv2.fillPoly(self.image, [self.pixels(outline)], colour, cv2.LINE_AA, SHIFT)

    def disc(self, centre: complex, radius: float, colour: Colour) -> None:
        cv2.circle(self.image, self.pixel(centre), round(radius * self.unit * 2**SHIFT), colour, -1, cv2.LINE_AA, SHIFT)

    def ring(self, centre: complex, radius: float, colour: Colour) -> None:
        cv2.circle(self.image, self.pixel(centre), round(radius * self.unit * 2**SHIFT), colour, 1, cv2.LINE_AA, SHIFT)

    def line(self, points: Points, colour: Colour, width: float) -> None:
        thickness = max(1, round(width * self.unit))
        cv2.polylines(self.image, [self.pixels(points)], False, colour, thickness, cv2.LINE_AA, SHIFT)

    def dots(self, centres: Points, radius: float, colour: Colour) -> None:
        for centre in centres:
            self.disc(centre, radius, colour)


def ellipse(length: float, width: float, points: int = 14) -> Points:
    """Outline (points,) of an ellipse with half axes `length` (along x) and `width`."""
    turn: Points = np.exp(2j * np.pi * np.arange(points) / points)
    return length * turn.real + 1j * width * turn.imag


def box(length: float, width: float) -> Points:
    """Outline (4,) of a box with half sides `length` (along x) and `width`."""
    return np.array([-length - 1j * width, length - 1j * width, length + 1j * width, -length + 1j * width])


def capsule(length: float, width: float) -> Points:
    """Outline (14,) of a box with round ends."""
    return ellipse(width, width) + (length - width) * np.sign(np.cos(2 * np.pi * np.arange(14) / 14 + 1e-3))


def leafy(size: float, rng: np.random.Generator) -> Points:
    """Ragged outline (18,), like a leaf's."""
    return ellipse(size, 0.8 * size, 18) * rng.uniform(0.72, 1.15, 18)


def unit(degrees: float) -> complex:
    """Unit number of a direction: 0 is to the right, 90 towards the person.

    >>> complex(np.round(unit(90), 6))
    1j
    """
    return complex(np.exp(1j * np.deg2rad(degrees)))


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Colour (blue, green, red) from hue in degrees, saturation and value 0 … 1 (clipped).

    >>> hsv(0, 1, 1)
    (0.0, 0.0, 255.0)
    """
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return (255.0 * blue, 255.0 * green, 255.0 * red)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Mix a `share` of `other` into `colour`."""
    blue, green, red = ((1 - share) * a + share * b for a, b in zip(colour, other, strict=True))
    return (blue, green, red)


def shade(colour: Colour, factor: float) -> Colour:
    """Make a colour darker (factor < 1) or lighter (up to 255)."""
    blue, green, red = (min(255.0, factor * channel) for channel in colour)
    return (blue, green, red)
