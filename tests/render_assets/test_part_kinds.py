from __future__ import annotations

import numpy as np
import pytest

from pamtri import parts
from render_assets.mesh import mirror, part
from render_assets.part_kinds import face_codes, kind_of

TRIANGLE = np.array([[1.0, 0.5, 0], [1.2, 0.5, 0], [1.0, 0.6, 0.2]])


@pytest.mark.parametrize(
    ("name", "segment", "kind"),
    [
        ("left_front_tyre", None, "tyre"),
        ("right_rear_spokes_sides", None, "rim"),
        ("steering_wheel", None, "interior"),
        ("left_head_lamp_rim", "front", "head_lamp"),
        ("left_tail_indicator", "rear", "tail_lamp"),
        ("rear_plate_text", "rear", "plate"),
        ("left_plate_recess", "rear", "boot"),
        ("left_windscreen", "windscreen", "windscreen"),
        ("left_windscreen_frame", "windscreen", "window_frame"),
        ("left_front_fender", "left_front_fender", "front_fender"),
        ("tank_shell", None, "load"),
        ("tank_cap", None, "underbody"),
        ("hair", None, "person"),
        # Other people's names: by segment, then by what the words say.
        ("material_7_right_doors", "right_doors", "doors"),
        ("carpaint_front", "front", "bumper"),
        ("tire_03", None, "tyre"),
        ("wheel_chrome", None, "rim"),
        ("glass_dark", None, "side_window"),
        ("material_9", None, "other"),
    ],
)
def test_names(name, segment, kind):
    assert kind_of(name, segment) == kind


def test_side_and_end_are_where_the_face_is():
    left = part("left_mirror", "paint", TRIANGLE, np.array([[0, 1, 2]]))
    assert face_codes(left).tolist() == [1 + parts.INDEX["left_mirror"]]
    # Whatever it is called.
    assert face_codes(mirror(left)).tolist() == [1 + parts.INDEX["right_mirror"]]
    both = np.concatenate([TRIANGLE, TRIANGLE - [3.0, 2.0, 0.0]])
    wheels = part("tyres", "rubber", both, np.array([[0, 1, 2], [3, 4, 5]]))
    assert [parts.NAMES[c - 1] for c in face_codes(wheels)] == [
        "left_front_tyre",
        "right_rear_tyre",
    ]
