"""Solids and materials in Blender: what the fleet and the lane are put together from. Needs `bpy`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bpy

Colour = tuple[float, float, float]
_made: dict[tuple[Any, ...], Any] = {}


def paint(colour: Colour, rough: float = 0.45, metal: float = 0.0, dirt: float = 0.0, glow: float = 0.0) -> Any:
    """A surface; `dirt` (0..1) browns it in patches, most of all low down."""
    key = (colour, rough, metal, dirt, glow)
    if key in _made:
        return _made[key]
    made = bpy.data.materials.new("paint")
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = rough
    shader.inputs["Metallic"].default_value = metal
    shader.inputs["Base Color"].default_value = (*colour, 1)
    if glow:
        shader.inputs["Emission Color"].default_value = (*colour, 1)
        shader.inputs["Emission Strength"].default_value = glow
    if dirt:
        _soil(nodes, links, shader, colour, dirt)
    _made[key] = made
    return made


def _soil(nodes: Any, links: Any, shader: Any, colour: Colour, dirt: float) -> None:
    place = nodes.new("ShaderNodeTexCoord")
    patches = nodes.new("ShaderNodeTexNoise")
    patches.inputs["Scale"].default_value = 2.2
    patches.inputs["Detail"].default_value = 5.0
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.45, 0.8
    mix = nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    mix.inputs[6].default_value = (*colour, 1)
    mix.inputs[7].default_value = (0.16, 0.12, 0.085, 1)
    scale = nodes.new("ShaderNodeMath")
    scale.operation = "MULTIPLY"
    scale.inputs[1].default_value = dirt
    links.new(place.outputs["Object"], patches.inputs["Vector"])
    links.new(patches.outputs["Fac"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], scale.inputs[0])
    links.new(scale.outputs[0], mix.inputs[0])
    links.new(mix.outputs[2], shader.inputs["Base Color"])


GLASS: Colour = (0.02, 0.025, 0.03)
RUBBER: Colour = (0.02, 0.02, 0.021)
STEEL: Colour = (0.3, 0.31, 0.32)
BLACK: Colour = (0.025, 0.025, 0.028)
LAMP: Colour = (0.85, 0.88, 0.9)
RED_LAMP: Colour = (0.5, 0.02, 0.02)
AMBER: Colour = (0.75, 0.3, 0.02)
WHITE: Colour = (0.78, 0.78, 0.77)


def glass() -> Any:
    return paint(GLASS, rough=0.06)


def body(points: Sequence[Sequence[float]], faces: Sequence[Sequence[int]], material: Any, soft: float = 0.0) -> Any:
    """A mesh. `soft`: bevel in metres."""
    mesh = bpy.data.meshes.new("solid")
    mesh.from_pydata([tuple(point) for point in points], [], [tuple(face) for face in faces])
    mesh.update()
    thing = bpy.data.objects.new("solid", mesh)
    mesh.materials.append(material)
    bpy.context.collection.objects.link(thing)
    if soft:
        bevel = thing.modifiers.new("soft", "BEVEL")
        bevel.width, bevel.segments = soft, 2
    return thing


def box(x: Sequence[float], y: Sequence[float], z: Sequence[float], material: Any, soft: float = 0.0) -> Any:
    points = [(a, b, c) for a in x for b in y for c in z]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return body(points, faces, material, soft)


def profile(side: Sequence[Sequence[float]], x: Sequence[float], material: Any, soft: float = 0.0) -> Any:
    """A solid whose side view (y, z) is drawn out from x[0] to x[1]."""
    count = len(side)
    points = [(x[0], y, z) for y, z in side] + [(x[1], y, z) for y, z in side]
    faces = [tuple(range(count)), tuple(range(2 * count - 1, count - 1, -1))]
    faces += [(i, (i + 1) % count, (i + 1) % count + count, i + count) for i in range(count)]
    return body(points, faces, material, soft)


def pane(points: Sequence[Sequence[float]], material: Any) -> Any:
    return body(points, [tuple(range(len(points)))], material)


def drum(x: Sequence[float], y: float, z: float, radius: float, material: Any, steps: int = 28) -> Any:
    """A cylinder that lies along x: a wheel, a tank's end."""
    turn = [2 * math.pi * i / steps for i in range(steps)]
    return profile([(y + radius * math.cos(t), z + radius * math.sin(t)) for t in turn], x, material, 0.012)


def post(x: float, y: float, z: Sequence[float], radius: float, material: Any, steps: int = 16) -> Any:
    """An upright cylinder."""
    turn = [2 * math.pi * i / steps for i in range(steps)]
    ring = [(x + radius * math.cos(t), y + radius * math.sin(t)) for t in turn]
    points = [(a, b, z[0]) for a, b in ring] + [(a, b, z[1]) for a, b in ring]
    faces = [tuple(range(steps - 1, -1, -1)), tuple(range(steps, 2 * steps))]
    faces += [(i, (i + 1) % steps, (i + 1) % steps + steps, i + steps) for i in range(steps)]
    return body(points, faces, material)


def ball(place: Sequence[float], radius: float, material: Any, stretch: Sequence[float] = (1, 1, 1)) -> Any:
    rows, columns = 8, 14
    points = [
        (
            place[0] + radius * stretch[0] * math.sin(math.pi * i / rows) * math.cos(2 * math.pi * k / columns),
            place[1] + radius * stretch[1] * math.sin(math.pi * i / rows) * math.sin(2 * math.pi * k / columns),
            place[2] + radius * stretch[2] * math.cos(math.pi * i / rows),
        )
        for i in range(rows + 1)
        for k in range(columns)
    ]
    faces = [
        (i * columns + k, i * columns + (k + 1) % columns, (i + 1) * columns + (k + 1) % columns, (i + 1) * columns + k)
        for i in range(rows)
        for k in range(columns)
    ]
    made = body(points, faces, material)
    for face in made.data.polygons:
        face.use_smooth = True
    return made
