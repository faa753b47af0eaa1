"""Renders what the clips are put together from: the empty lane, the boom at some angles, each vehicle along the lane.

    PYTHON_WITH_BPY -m models.tools.world.sprites OUT [--samples 4] [--only NAME…] [--share 0.75]

Each picture is a file of its own and is not rendered again: kill it and start it again at will. Sprites are RGBA with
straight edges cut to the vehicle's box; `OUT/NAME/index.json` says where each belongs. Needs `bpy` 4.5.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix, Vector

from models.tools.world import fleet, lens, plan
from models.tools.world import lane as ground

LANE, BOOM_STEPS = "lane", 11
PASSING_SHARE = 0.5
"""What is far is small, and what passes the camera is blurred by its motion: half the size will do for both."""
SHARP_Y = 12.0
TRAYS = (LANE, "boom", *plan.ORDER)


def clean() -> Any:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    from models.tools.world import solids

    solids._made.clear()
    scene = bpy.context.scene
    _camera(scene)
    _light(scene)
    return scene


def _camera(scene: Any) -> None:
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    right, down, forward = lens.axes()
    turned = Matrix((right, -down, -forward)).transposed().to_4x4()
    turned.translation = Vector(lens.EYE)
    camera.matrix_world = turned
    camera.data.sensor_fit, camera.data.sensor_width = "HORIZONTAL", 36.0
    camera.data.lens = lens.FOCAL_PX * 36.0 / lens.SIZE[0]
    camera.data.clip_start = 0.1
    scene.collection.objects.link(camera)
    scene.camera = camera


def _light(scene: Any) -> None:
    """A bright hazy sky over grey ground, and a low soft sun from behind the camera's left."""
    world = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    place, split, ramp = (
        nodes.new("ShaderNodeTexCoord"),
        nodes.new("ShaderNodeSeparateXYZ"),
        nodes.new("ShaderNodeValToRGB"),
    )
    half = nodes.new("ShaderNodeMath")
    half.operation, half.inputs[1].default_value = "MULTIPLY_ADD", 0.5
    half.inputs[2].default_value = 0.5
    links.new(place.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], half.inputs[0])
    links.new(half.outputs[0], ramp.inputs[0])
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[0].color = 0.49, (0.2, 0.2, 0.19, 1)
    ramp.color_ramp.elements[1].position, ramp.color_ramp.elements[1].color = 0.505, (0.86, 0.9, 0.95, 1)
    high = ramp.color_ramp.elements.new(0.8)
    high.color = (0.4, 0.56, 0.82, 1)
    links.new(ramp.outputs[0], nodes["Background"].inputs[0])
    nodes["Background"].inputs[1].default_value = 0.95
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = 2.2, math.radians(6)
    sun.rotation_euler = (math.radians(48), 0, math.radians(-28))
    scene.collection.objects.link(sun)


def settings(scene: Any, samples: int, share: float, *, bare: bool) -> None:
    """`bare`: no sky and no ground behind what is rendered."""
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.samples, cycles.use_adaptive_sampling = samples, False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_input_passes, cycles.denoising_prefilter, cycles.denoising_quality = (
        "RGB_ALBEDO_NORMAL",
        "FAST",
        "FAST",
    )
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transmission_bounces = cycles.volume_bounces = cycles.transparent_max_bounces = 0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.seed = 7
    render = scene.render
    render.threads_mode, render.threads = "FIXED", len(os.sched_getaffinity(0))
    render.resolution_x, render.resolution_y = lens.SIZE
    render.resolution_percentage = round(share * 100)
    render.use_border = render.use_crop_to_border = True
    render.use_persistent_data = True
    render.film_transparent = bare
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA" if bare else "RGB"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.exposure = -0.15


def shoot(scene: Any, path: Path, box: tuple[int, int, int, int]) -> None:
    """Render one box (x1, y1, x2, y2 of the 1280x720 picture) into a file; the file appears whole or not at all."""
    x1, y1, x2, y2 = box
    wide, high = lens.SIZE
    render = scene.render
    render.border_min_x, render.border_max_x = x1 / wide, x2 / wide
    render.border_min_y, render.border_max_y = 1 - y2 / high, 1 - y1 / high
    staged = path.with_suffix(".part.png")
    render.filepath = str(staged)
    bpy.ops.render.render(write_still=True)
    staged.replace(path)


def even(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Snapped to multiples of four pixels, so that a picture at 3/4 or 1/2 of the size cuts on whole pixels."""
    x1, y1, x2, y2 = box
    return x1 // 4 * 4, y1 // 4 * 4, min(lens.SIZE[0], -(-x2 // 4) * 4), min(lens.SIZE[1], -(-y2 // 4) * 4)


def whole(folder: Path) -> bool:
    """True where everything that the tray's index names is there."""
    index = folder / "index.json"
    rows = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else []
    return bool(rows) and (folder / "whole").is_file() and all((folder / row["file"]).is_file() for row in rows)


def vehicle(name: str, folder: Path, samples: int, share: float) -> None:
    if whole(folder):
        return
    scene = clean()
    fleet.BUILD[name]()
    settings(scene, samples, share, bare=True)
    things = [thing for thing in scene.objects if thing.type == "MESH"]
    group = bpy.data.objects.new("group", None)
    scene.collection.objects.link(group)
    for thing in things:
        thing.parent = group
    index = []
    for number, y in enumerate(plan.stations(name)):
        span = plan.span(name, y)
        if span is None:
            continue
        box, path = even(span), folder / f"{number:03}.png"
        index.append({"y": y, "box": box, "file": path.name})
        if not path.is_file():
            sharp = plan.NEAR_Y < y < SHARP_Y
            scene.render.resolution_percentage = round(100 * (share if sharp else PASSING_SHARE))
            group.location.y = y
            bpy.context.view_layer.update()
            shoot(scene, path, box)
        (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "whole").touch()


def lane(folder: Path, samples: int) -> None:
    """The lane without its boom, at full size; slow, and only once."""
    path = folder / "lane.png"
    if path.is_file():
        return
    scene = clean()
    ground.lane()
    settings(scene, samples, 1.0, bare=False)
    shoot(scene, path, (0, 0, *lens.SIZE))


def boom(folder: Path, samples: int) -> None:
    index = []
    reach = lens.hull(
        (
            (ground.BOOM_X - ground.ARM_M - 0.2, ground.BOOM_X + 0.3),
            (ground.BOOM_Y - 0.3, ground.BOOM_Y + 0.3),
            (0.0, 4.9),
        )
    )
    assert reach is not None
    box = even(reach)
    for number in range(BOOM_STEPS):
        raised = number / (BOOM_STEPS - 1)
        path = folder / f"{number:03}.png"
        index.append({"raised": raised, "box": box, "file": path.name})
        if not path.is_file():
            scene = clean()
            ground.stand()
            ground.boom(raised)
            settings(scene, samples, 1.0, bare=True)
            shoot(scene, path, box)
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Render the sprites of the sample clips.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--share", type=float, default=0.75, help="size of the vehicles' pictures")
    parser.add_argument("--only", nargs="*", choices=TRAYS, default=TRAYS)
    options = parser.parse_args()
    for name in options.only:
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        if name == LANE:
            lane(folder, options.samples * 3)
        elif name == "boom":
            boom(folder, options.samples)
        else:
            vehicle(name, folder, options.samples, options.share)


if __name__ == "__main__":
    main()
