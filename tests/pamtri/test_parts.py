from pamtri import parts


def test_numbers_of_parts_never_change():
    """They are in data sets on disk: new parts go to the end."""
    assert parts.NAMES[:6] == (
        *("bonnet", "left_front_fender", "right_front_fender", "left_doors", "right_doors"),
        "left_rear_quarter",
    )
    assert parts.INDEX["windscreen"] == 13 and parts.INDEX["left_front_tyre"] == 28
    assert parts.NAMES[59] == "other" and len(parts.NAMES) < 255


def test_mirror_images():
    assert sorted(parts.FLIP) == list(range(len(parts.NAMES)))
    named = {name: parts.NAMES[parts.FLIP[i]] for i, name in enumerate(parts.NAMES)}
    assert named["left_front_tyre"] == "right_front_tyre"
    assert named["right_mirror"] == "left_mirror"
    assert named["rear_plate"] == "rear_plate" and named["roof"] == "roof"


def test_places():
    assert parts.name_of("tyre", left=False, front=True) == "right_front_tyre"
    assert parts.name_of("plate", left=False, front=False) == "rear_plate"
    assert parts.name_of("mirror", left=True, front=False) == "left_mirror"
    assert parts.name_of("roof", left=True, front=True) == "roof"
