from pamtri.attributes import BODY_TYPES, CITYFLOW_COLOURS, CITYFLOW_TYPES, COLOURS, TYPES


def test_veris_ids_are_positions_plus_one():
    assert COLOURS[5 - 1] == "red" and COLOURS[10 - 1] == "black" and len(COLOURS) == 10
    assert TYPES[4 - 1] == "hatchback" and TYPES[9 - 1] == "estate" and len(TYPES) == 9


def test_cityflows_words_are_veris_and_two_more():
    assert [c.veri for c in CITYFLOW_COLOURS] == [*COLOURS, None, None]
    assert [c.name for c in CITYFLOW_COLOURS[10:]] == ["purple", "pink"]
    assert [t.veri for t in CITYFLOW_TYPES] == [*TYPES, "sedan", None]
    assert [t.name for t in CITYFLOW_TYPES[9:]] == ["sportscar", "rv"]


def test_body_types_map_to_veris():
    assert set(BODY_TYPES.values()) <= set(TYPES)
    assert (BODY_TYPES["coupe"], BODY_TYPES["wagon"]) == ("sedan", "estate")
