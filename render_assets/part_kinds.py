"""What a piece of a mesh is called in the vocabulary of part masks (``pamtri.parts``)."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from pamtri import parts
from render_assets.mesh import Part

_RULES: tuple[tuple[str, str], ...] = (
    ("person", r"head|hair|hand|neck|torso|arm"),
    ("interior", r"steering.*|seat_.*|head_rest.*|dash.*|binnacle|console|instruments|ornament.*"),
    ("interior", r"door_trim.*|door_pillar|floor|cabin_tub|headliner|inner_mirror|thing_.*"),
    ("interior", r"(rear_)?shelf|driver_partition|bulkhead|windscreen_frame_back|handrails"),
    ("interior", r"step_well|box_core"),
    ("head_lamp", r"head_?(lamp|light).*"),
    ("tail_lamp", r"tail_?(lamp|light).*|reverse_lamp|tail_indicator|brake_light"),
    ("high_brake_light", r"third_brake_light"),
    ("front_lamp", r"fog_.*|daylight|indicator"),
    ("marker_lamp", r"(side|cab|front|rear)_marker|high_lamp|repeater|lamp_housing"),
    ("reflector", r"reflector|reflective_tape|underrun_stripes"),
    ("mirror", r"mirror.*"),
    ("plate", r"(front|rear)_plate.*"),
    ("tyre", r"(front|rear)_(inner_)?(tyre|tread).*"),
    ("rim", r"(front|rear)_(rim|spokes|hub|nut|wheel|brake).*"),
    ("door_handle", r"(passenger_)?door_(handle|lever|grip).*|flap_grip"),
    ("grille", r"(grille|lower_intake|engine_(grille|vent)|cooling_|air_intake).*"),
    ("grille", r"bonnet_scoop_mouth"),
    ("badge", r"(rear_)?badge.*|lettering"),
    ("wiper", r"wiper"),
    ("antenna", r"antenna"),
    ("roof_rack", r"roof_(rack|rail|bars)"),
    ("roof_unit", r"roof_(unit|hatch).*|air_deflector|sun_visor"),
    ("sunroof", r"sunroof"),
    ("spoiler", r"spoiler"),
    ("step", r"side_step.*|step|step_box|ladder"),
    ("mudguard", r"mud_flap|rear_mudguard|bed_fender"),
    ("exhaust", r"exhaust.*|tail_pipe|silencer"),
    ("sign", r"taxi_sign.*|destination_.*"),
    ("marking", r"livery_.*|sticker_.*|taxi_band.*|scratch"),
    ("gap", r"(shut_lines|(.*_)?gap|door_rail|sheet_joint|fuel_flap|hinge)"),
    ("windscreen", r"windscreen"),
    ("rear_glass", r"rear_glass|rear_pane"),
    ("side_window", r"(rear_)?side_window|passenger_door_glass"),
    ("window_frame", r".*window_(frame|seal|bar)|(windscreen|rear_glass)_frame.*|screen_bar"),
    ("window_frame", r"(passenger_)?door_(seal|bar)"),
    ("cladding", r".*cladding|side_(moulding|strip)|rub_strip|bumper_strip|skid_plate|diffuser.*"),
    ("bumper", r"(front_|rear_)?(bumper|apron|lip).*|cab_bumper"),
    ("doors", r"passenger_door"),
    ("bonnet", r"bonnet_scoop|front_panel|screen_panel"),
    ("boot", r"plate_(recess|lamp_bar)|rear_pressing"),
    ("body", r"window_panel"),
    ("underbody", r"arch_(liner|wall)|underbody|engine_tray|floor_rail|air_tank|battery_box"),
    ("underbody", r".*axle.*|(front|rear)_(arm|strut|half_shaft)|differential|propshaft"),
    ("underbody", r"leaf_spring|fuel_tank|tank_cap|frame_rail|cross_member|spare_wheel"),
    ("underbody", r"side_guard|saddle|underrun_(bar|arm)"),
    ("load", r"(bed|board|box|curtain|drum|tank|tipper|tail|side|top|lower|water)_.*|bed|curtain"),
    ("load", r"drum|tank|headboard.*|cab_guard.*|guard_post|catwalk.*|chute|hopper|hose_tray"),
    ("load", r"tarpaulin|stake_slat|tie_hook|strap|buckle|lock_rod|rod_bracket|corner_casting"),
    ("load", r"hydraulic_ram|ram_sleeve|manhole.*|valve_locker|load_.*"),
)  # fmt: skip
"""Kinds and the names of pieces, without their side, that are of them; the first that fits."""

_OF_SEGMENT = {"front": "bumper", "rear": "bumper"}
"""Kinds of what has a segment and no known name; the others are called as the segment is."""
_WORDS: tuple[tuple[str, str], ...] = (
    ("tyre", r"tyre|tire"),
    ("rim", r"rim|wheel|hub|brake"),
    ("interior", r"interior|seat|dash|cabin|cockpit"),
    ("side_window", r"glass|window"),
    ("mirror", r"mirror"),
    ("head_lamp", r"head.?(lamp|light)"),
    ("tail_lamp", r"(tail|rear|brake).?(lamp|light)"),
    ("plate", r"plate"),
    ("underbody", r"chassis|under|suspension|frame"),
    ("body", r"body|paint|panel"),
)
"""Kinds by words in the names that other people's meshes use."""


@lru_cache(maxsize=4096)
def kind_of(name: str, segment: str | None = None) -> str:
    """The kind of the piece called ``name``, one of ``pamtri.parts.KINDS``."""
    bare = name.removeprefix("left_").removeprefix("right_")
    for kind, pattern in _RULES:
        if re.fullmatch(pattern, bare):
            return kind
    if segment is not None:
        plain = segment.removeprefix("left_").removeprefix("right_")
        return _OF_SEGMENT.get(plain, plain)
    for kind, pattern in _WORDS:
        if re.search(pattern, bare):
            return kind
    return "other"


def face_codes(part: Part) -> np.ndarray:
    """(m,) uint8: 1 + the position in ``pamtri.parts.NAMES`` of each of the part's faces.

    Side and end are those of the face's centre, whatever the piece is called.
    """
    kind = kind_of(part.name, part.segment)
    codes = np.array(
        [
            [1 + parts.INDEX[parts.name_of(kind, left, front)] for front in (False, True)]
            for left in (False, True)
        ],
        dtype=np.uint8,
    )
    centre = part.vertices[part.faces].mean(axis=1)
    return codes[(centre[:, 1] > 0).astype(int), (centre[:, 0] > 0).astype(int)]
