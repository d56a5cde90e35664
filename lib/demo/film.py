"""From steps to videos: act the steps out in a kitchen and film them from above, under changing light.

The camera turns slowly to where the hands work, like one on the person's head: where a thing is in the picture says
little about the action.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lib.core.files import read_json, write_json
from lib.core.processes import spread, track
from lib.demo.actions import ACTIONS
from lib.demo.picture import REACH, SIDE, Scene
from lib.demo.script import Step
from lib.demo.world import Moment, World, fidget

MADE_BY = tuple(f"demo.{name}" for name in ("actions", "draw", "film", "kitchen", "picture", "script", "world"))
NOISE = 16  # different pictures of noise


def act(world: World, steps: list[Step], fps: float) -> Iterator[Step]:
    """Act the steps out: change the world frame by frame and yield the step of each frame.

    People pause, their hands tremble, and now and then the free hand moves something unrelated to the action.
    """
    rng, habits, frame = world.rng, world.kitchen.habits, 1 / fps
    pause = aside = 0.0
    thing, goal = "plate", 0j
    for step in steps:
        for k in range(max(1, round(step.seconds * fps))):
            pause -= frame
            aside -= frame
            if pause < -1.5 and rng.random() < 0.12 * frame:
                pause = rng.uniform(0.3, 0.9)
            if aside < -2 and rng.random() < habits["fidget"] * frame:
                aside, thing = 1.5, str(rng.choice([name for name in world.places if name != "board"]))
                goal = world.places[thing] + complex(*rng.normal(0, 0.2, 2))
            if pause <= 0:
                world.rest()
                ACTIONS[step.verb](world, Moment(step.thing, k * frame, step.seconds, frame, step.upto))
            if aside > 0 and thing not in (step.thing, world.right.holds):
                fidget(world, thing, 1 - aside / 1.5, goal)
            world.settle(frame)
            for hand in (world.right, world.left):
                hand.at += complex(*rng.normal(0, habits["tremor"], 2))
            yield step


class Camera:
    """Pose of the camera and response of its sensor, frame by frame; its motion per second does not depend on `fps`."""

    def __init__(self, world: World, size: int, fps: float) -> None:
        kitchen = world.kitchen
        self.pose, self.size, self.rng, self.keep = kitchen.camera, size, world.rng, np.exp(-1 / (2.0 * fps))
        self.follow = 1 - np.exp(-1 / (0.5 * fps))
        self.gaze = kitchen.places["board"]
        self.drift = world.rng.normal(0, 1, 5)  # of x, y, rotation, zoom, brightness: wanders about 0 with deviation 1
        self.noise = world.rng.normal(0, kitchen.noise, (NOISE, size, size, 3)).astype(np.float32)
        ramp = np.linspace(-1, 1, size)
        slope = kitchen.light["slope"]
        field = 1 + slope[0] * ramp[None, :] + slope[1] * ramp[:, None]
        self.light = (np.clip(field, 0.5, 1.5)[..., None] * kitchen.light["gain"]).astype(np.float32)

    def shoot(self, scene: np.ndarray, interest: complex) -> np.ndarray:
        """Film a picture (SIDE, SIDE, 3) as (size, size, 3) uint8; the camera turns slowly towards `interest`."""
        self.gaze += self.follow * (interest - self.gaze)
        self.drift = self.keep * self.drift + np.sqrt(1 - self.keep**2) * self.rng.normal(0, 1, 5)
        size = (self.size, self.size)
        image = cv2.warpPerspective(scene, self._view(), size, borderMode=cv2.BORDER_REPLICATE)
        lit = image * self.light * np.float32(1 + 0.03 * self.pose["unrest"] * self.drift[4])
        lit += self.noise[self.rng.integers(NOISE)]
        return cv2.convertScaleAbs(np.maximum(lit, 0))

    def _view(self) -> np.ndarray:
        pose, unrest = self.pose, self.pose["unrest"]
        x, y, turn, zoom = unrest * self.drift[:4] * (0.02, 0.02, 1.2, 0.02)
        zoom = pose["zoom"] * np.exp(zoom) * self.size / 2  # pixels per unit
        a = zoom * np.exp(1j * np.deg2rad(pose["rotation"] + turn))
        flip = -1 if pose["mirror"] else 1
        shift = a * (self.gaze + complex(pose["x"] + x, pose["y"] + y))
        first, second = [a.real, -a.imag, -shift.real], [a.imag, a.real, -shift.imag]
        linear = np.array([[flip * value for value in first], second, [0, 0, 1]])
        units = np.array([[2 * REACH / SIDE, 0, -REACH], [0, 2 * REACH / SIDE, -REACH], [0, 0, 1]])
        centre = np.array([[1, 0, self.size / 2], [0, 1, self.size / 2], [0, 0, 1]])
        tilt = np.array([[1, 0, 0], [0, 1, 0], [0, pose["tilt"] * 2 / self.size, 1]])
        return centre @ tilt @ linear @ units


def film(world: World, steps: list[Step], size: int, fps: float, first: int = 0) -> Iterator[tuple[np.ndarray, Step]]:
    """Yield frames (size, size, 3) uint8 BGR from number `first` on, each with its step."""
    scene = Scene(world.kitchen, world.rng)
    camera = Camera(world, size, fps)
    for step in islice(act(world, steps, fps), first, None):
        work = 0.7 * world.right.at + 0.3 * world.left.at
        yield camera.shoot(scene.paint(world), 0.85 * work + 0.15 * world.places["board"]), step


def record(path: Path, world: World, steps: list[Step], size: int, fps: float) -> list[Step]:
    """Film the steps into a motion JPEG file; returns the step of each frame."""
    # OpenCV's own writer: its bytes depend on nothing but the frames
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), fps, (size, size))
    shown = []
    for frame, step in film(world, steps, size, fps):
        writer.write(frame)
        shown.append(step)
    writer.release()
    return shown


def renew(folder: Path, note: dict[str, Any], names: Sequence[str]) -> None:
    """Remove `names` from `folder` unless they were rendered under the same key; the key is kept in rendered.json."""
    file = folder / "rendered.json"
    if read_json(file, optional=True).get("key") == note["key"]:
        return
    for path in (folder / name for name in names):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    write_json(file, note)


def render_all(render: Callable[[Any], None], videos: Sequence[Any], workers: int, what: str) -> None:
    """Call `render` for each video, in `workers` processes."""
    for _ in track(spread(render, videos, workers), what, total=len(videos)):
        pass
