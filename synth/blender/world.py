"""Light and sky: Blender's own environment maps, a sun, what the camera sees behind the vehicle."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from pamtri.errors import ConfigError, DataError
from render_assets.skies import build_sky
from synth.blender.shaders import rgba
from synth.night import lamp_irradiance
from synth.plates import plate_digest
from synth.scene import BackdropSpec, LightSpec, PlateSpec, SkySpec, SunSpec

_REC709 = np.array([0.2126, 0.7152, 0.0722])
_ADAPTATION = 0.85
"""How far the exposure makes up for the amount of light: 1 would make night as bright as day."""
_GAIN = 1.6
"""Brings a grey car under an even sky to the middle of the picture's tones."""
_SUNLIT = 0.4
"""What a sun adds to the light on a vehicle, whose sides face it or not, of what it shines."""
_DAYLIGHT = 5.0
"""Irradiance, W/m2 in the maps' units, at which a picture is exposed in full."""


def environment_maps() -> dict[str, Path]:
    """Blender's world maps by file name."""
    folder = Path(bpy.utils.resource_path("LOCAL"), "datafiles", "studiolights", "world")
    return {path.name: path for path in sorted(folder.glob("*.exr"))}


def load_map(name: str) -> bpy.types.Image:
    """The environment map, loaded once. Raises ConfigError for a name that Blender lacks."""
    known = environment_maps()
    if name not in known:
        raise ConfigError(f"unknown environment map '{name}' (known: {', '.join(known)})")
    return bpy.data.images.load(str(known[name]), check_existing=True)


def sky_map(sky: SkySpec, sun: SunSpec | None) -> np.ndarray:
    """The (h, 2 h, 3) radiance of a made sky; without a sun it is overcast."""
    if sun is None:
        return build_sky(sky.seed, 1.0, 0.0, 50.0)
    return build_sky(sky.seed, sky.clouds, sun.azimuth_deg, sun.elevation_deg)


@lru_cache(maxsize=32)
def map_irradiance(name: str) -> float:
    """Light that falls on level ground from the upper half of a map, at strength 1."""
    image = load_map(name)
    width, height = image.size
    flat = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(flat)
    return irradiance(flat.reshape(height, width, 4)[::-1, :, :3])


def irradiance(radiance: np.ndarray) -> float:
    """Light that falls on level ground from the upper half of a map (h, 2 h, 3), top row first."""
    height, width = radiance.shape[:2]
    luminance = radiance @ _REC709
    elevation = np.pi / 2 - (np.arange(height) + 0.5) / height * np.pi
    weight = np.clip(np.sin(elevation), 0, None) * np.cos(elevation)
    solid_angle = (np.pi / height) * (2 * np.pi / width)
    return float((luminance * weight[:, None]).sum() * solid_angle)


def metered_exposure(light: LightSpec) -> float:
    """Factor on scene radiance that a photographer's light meter would choose."""
    if light.sky is None:
        of_map = map_irradiance(light.hdri)
    else:
        of_map = irradiance(sky_map(light.sky, light.sun))
    total = light.strength * of_map * float(_REC709 @ np.array(light.dusk))
    total += lamp_irradiance(light.lamps)
    if light.sun is not None:
        total += _SUNLIT * light.sun.strength
    total = max(total, 1e-3)
    return float(_GAIN * np.pi / _DAYLIGHT * (_DAYLIGHT / total) ** _ADAPTATION)


class World:
    """The world and sun of a scene; made once and set anew for every image."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        world = bpy.data.worlds.new("world")
        scene.world = world
        world.use_nodes = True
        world.cycles.sampling_method = "MANUAL"
        world.cycles.sample_map_resolution = 512
        self._scene = scene
        self._sky: bpy.types.Image | None = None
        self._tree = world.node_tree
        self._tree.nodes.clear()
        self._build()
        lamp = bpy.data.lights.new("sun", "SUN")
        self._sun = bpy.data.objects.new("sun", lamp)
        scene.collection.objects.link(self._sun)

    def _build(self) -> None:
        """Light comes from the map; rays from the camera see the map, a colour or noise."""
        nodes, links = self._tree.nodes, self._tree.links
        place = nodes.new("ShaderNodeTexCoord")
        self._turn = nodes.new("ShaderNodeMapping")
        self._map = nodes.new("ShaderNodeTexEnvironment")
        self._light = nodes.new("ShaderNodeBackground")
        links.new(place.outputs["Generated"], self._turn.inputs["Vector"])
        links.new(self._turn.outputs["Vector"], self._map.inputs["Vector"])
        self._dusk = nodes.new("ShaderNodeVectorMath")
        self._dusk.operation = "MULTIPLY"
        links.new(self._map.outputs["Color"], self._dusk.inputs[0])
        links.new(self._dusk.outputs["Vector"], self._light.inputs["Color"])
        self._noise = nodes.new("ShaderNodeTexNoise")
        self._noise.noise_dimensions = "4D"
        self._noise.inputs["Detail"].default_value = 4.0
        links.new(place.outputs["Generated"], self._noise.inputs["Vector"])
        vivid = nodes.new("ShaderNodeHueSaturation")
        vivid.inputs["Saturation"].default_value = 2.5
        links.new(self._noise.outputs["Color"], vivid.inputs["Color"])
        self._plain = nodes.new("ShaderNodeMix")
        self._plain.data_type = "RGBA"
        links.new(vivid.outputs["Color"], _colour_input(self._plain, "A"))
        self._plate = nodes.new("ShaderNodeTexImage")
        self._plate.extension = "EXTEND"
        self._cover = nodes.new("ShaderNodeMapping")
        links.new(place.outputs["Window"], self._cover.inputs["Vector"])
        links.new(self._cover.outputs["Vector"], self._plate.inputs["Vector"])
        self._photo = nodes.new("ShaderNodeMix")
        self._photo.data_type = "RGBA"
        links.new(_colour_output(self._plain), _colour_input(self._photo, "A"))
        links.new(self._plate.outputs["Color"], _colour_input(self._photo, "B"))
        self._screen = nodes.new("ShaderNodeBackground")
        links.new(_colour_output(self._photo), self._screen.inputs["Color"])
        path = nodes.new("ShaderNodeLightPath")
        self._seen = nodes.new("ShaderNodeMath")
        self._seen.operation = "MULTIPLY"
        links.new(path.outputs["Is Camera Ray"], self._seen.inputs[0])
        mix = nodes.new("ShaderNodeMixShader")
        links.new(self._seen.outputs["Value"], mix.inputs["Fac"])
        links.new(self._light.outputs["Background"], mix.inputs[1])
        links.new(self._screen.outputs["Background"], mix.inputs[2])
        output = nodes.new("ShaderNodeOutputWorld")
        links.new(mix.outputs["Shader"], output.inputs["Surface"])

    def set(self, light: LightSpec, backdrop: BackdropSpec, aspect: float) -> None:
        """Light the scene and expose for it; ``aspect`` is the picture's width over its height.

        Raises DataError for a plate that is no picture or not the one that was drawn.
        """
        exposure = metered_exposure(light)
        if light.sky is None:
            self._map.image, turn = load_map(light.hdri), light.rotation_deg
        else:
            self._map.image, turn = self._load_sky(light.sky, light.sun), 0.0
        self._turn.inputs["Rotation"].default_value = (0.0, 0.0, np.deg2rad(turn))
        self._light.inputs["Strength"].default_value = light.strength
        self._dusk.inputs[1].default_value = light.dusk
        self._seen.inputs[1].default_value = float(backdrop.kind in ("flat", "noise", "plate"))
        self._plain.inputs["Factor"].default_value = float(backdrop.kind == "flat")
        self._photo.inputs["Factor"].default_value = float(backdrop.plate is not None)
        if backdrop.plate is not None:
            self._hang(backdrop.plate, aspect)
        _colour_input(self._plain, "B").default_value = rgba(backdrop.colour)
        self._screen.inputs["Strength"].default_value = 1 / exposure  # the colour as it is given
        rng = np.random.default_rng([backdrop.seed, 5])
        self._noise.inputs["W"].default_value = float(rng.uniform(0, 1000))
        self._noise.inputs["Scale"].default_value = float(np.exp(rng.uniform(0.5, 4.0)))
        self._scene.cycles.film_exposure = exposure
        self._set_sun(light.sun)

    def _hang(self, plate: PlateSpec, aspect: float) -> None:
        """Show a photograph so that it covers the picture, its middle in the middle."""
        if plate_digest(plate.file) != plate.digest:
            raise DataError(f"{plate.file}: is not the file that the scene was drawn with")
        if self._plate.image is not None:
            bpy.data.images.remove(self._plate.image)
        try:
            self._plate.image = bpy.data.images.load(str(Path(plate.file).resolve()))
        except RuntimeError:
            raise DataError(f"{plate.file}: is not a picture that Blender reads") from None
        width, height = self._plate.image.size
        if not width * height:
            raise DataError(f"{plate.file}: is not a picture that Blender reads")
        share = aspect / (width / height)
        size = np.array([min(share, 1.0), min(1 / share, 1.0)])
        self._cover.inputs["Scale"].default_value = (*size.tolist(), 1.0)
        self._cover.inputs["Location"].default_value = (*((1 - size) / 2).tolist(), 0.0)

    def _load_sky(self, sky: SkySpec, sun: SunSpec | None) -> bpy.types.Image:
        radiance = sky_map(sky, sun)
        height, width = radiance.shape[:2]
        if self._sky is None:
            self._sky = bpy.data.images.new("sky", width, height, float_buffer=True)
            self._sky.colorspace_settings.name = "Linear Rec.709"
            self._sky.use_fake_user = True  # it outlives the scenes that have a map
        opaque = np.dstack([radiance, np.ones((height, width), dtype=np.float32)])
        self._sky.pixels.foreach_set(opaque[::-1].ravel())
        self._sky.update()
        return self._sky

    def _set_sun(self, sun: SunSpec | None) -> None:
        self._sun.hide_render = sun is None
        if sun is None:
            return
        azimuth, elevation = np.deg2rad([sun.azimuth_deg, sun.elevation_deg])
        towards = (
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        )
        self._sun.rotation_euler = Vector(towards).to_track_quat("Z", "Y").to_euler()
        self._sun.data.energy = sun.strength
        self._sun.data.angle = np.deg2rad(sun.angle_deg)
        self._sun.data.color = sun.colour


def _colour_input(mix: Any, name: str) -> Any:
    """A mix node has inputs of every type under the same name."""
    return next(i for i in mix.inputs if i.name == name and i.type == "RGBA")


def _colour_output(mix: Any) -> Any:
    return next(o for o in mix.outputs if o.type == "RGBA")
