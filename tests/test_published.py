"""The published numbers: complete, as printed, and consistent where facts say so."""

import pytest

from lib.scoring.published import published_curve, published_table

TABLES = range(1, 11)


def printed_cells(number):
    table = published_table(number, printed=True)
    return [cell for cell in table.to_numpy().ravel().tolist() if cell != "-"]


def test_count_of_cells():
    assert sum(len(printed_cells(number)) for number in TABLES) == 336


@pytest.mark.parametrize("number", TABLES)
def test_equals_the_text_of_the_thesis(shared, number):
    text = (shared / "thesis.txt").read_text(encoding="utf-8")
    below = text[text.index(f"\nТаблица {number}: ") :].splitlines()[2:]
    first = next(i for i, line in enumerate(below) if "\t" in line)
    rows = []
    for line in below[first + 1 :]:
        if "\t" not in line:
            break
        rows += [cell for cell in line.split("\t")[1:] if cell != "-"]
    assert printed_cells(number) == rows


def test_baseline_curve_ends_in_the_table():
    curve, table, log = published_curve("baseline"), published_table(3), published_table("baseline_log")
    assert curve.index.tolist() == list(range(10, 121, 10))
    for split in range(1, 6):
        assert curve.loc[120, split] == pytest.approx(table.loc[split, "accuracy"], abs=0.0011)  # read off a picture
        assert round(log.loc[split, "accuracy"], 3) == table.loc[split, "accuracy"]
        assert round(log.loc[split, "best_accuracy"], 3) == table.loc[split, "best_accuracy"]
        assert log.loc[split, "best_epoch"] == table.loc[split, "best_epoch"]
        assert curve[split].max() == pytest.approx(table.loc[split, "best_accuracy"], abs=0.0011)


def test_every_entry_has_title_and_place():
    for number in TABLES:
        assert published_table(number).attrs["place"].startswith(f"Table {number}, section ")
        assert published_table(number).attrs["title"]


def test_unknown_entry_is_refused():
    with pytest.raises(ValueError, match=r"published.yaml: tables has no 11; it has 1, 2"):
        published_table(11)
    with pytest.raises(ValueError, match="curves has no 'loss'; it has baseline"):
        published_curve("loss")
