"""What a user brings as data: arrays, tables, images, samplers, and what is none."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import gantheory as gt
from gantheory.errors import GantheoryError
from simulations.data import as_density
from simulations.points import as_sampler, points


def csv_of(tmp_path, text):
    place = tmp_path / "data.csv"
    place.write_text(text, encoding="utf-8")
    return place


def test_data_of_every_kind_become_the_same_points(tmp_path):
    numbers = [[0.0, 1.0], [2.0, 3.5], [-4.0, 5e-3]]
    np.save(tmp_path / "data.npy", np.array(numbers))
    expected = torch.tensor(numbers, dtype=torch.float64)
    kinds = [
        numbers, np.array(numbers), expected, tmp_path / "data.npy", str(tmp_path / "data.npy"),
        TensorDataset(expected, torch.zeros(3)),
        csv_of(tmp_path, "x,y\n0,1\n2,3.5\n\n-4,5e-3\n"),
    ]  # fmt: skip
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(numbers, schema=["x", "y"], orient="row")
    table.write_parquet(tmp_path / "data.parquet")
    kinds += [table, str(tmp_path / "data.parquet")]
    for kind in kinds:
        made = as_sampler(kind)
        assert torch.equal(made.rows, expected)
        assert made.digest == points(numbers).digest
    assert points([1.0, 2.0]).dim == 1
    assert as_sampler("normal(0, 1)").dim == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("x,y\n1,2\n3\n", "row 3: 2 numbers expected, found '3'"),
     ("a b\n1 2\n", "row 2: 1 numbers expected, found '1 2'; commas stand between numbers"),
     ("1,2\n3,four\n", "row 2: 2 numbers expected, found '3,four'"),
     (",x,y\n0,1,2\n1,3,4\n", "first column has no name, as an index has; leave it out"),
     ("Unnamed: 0,x\n0,1\n1,3\n", "first column is called 'Unnamed: 0', as an index has"),
     ("x,y\n1,0.5,0.7\n", r"names 2 column\(s\), and the rows have 3 cells"),
     ("x;y\n0,5;1\n", "columns are parted by semicolons; save it with commas"),
     ("x,y\n", "holds no points"), ("1\nnan\n", "1 of 2 points hold nan or inf")],
)  # fmt: skip
def test_a_table_that_is_none_ends_in_one_line(tmp_path, text, message):
    with pytest.raises(GantheoryError, match=message):
        points(csv_of(tmp_path, text))


@pytest.mark.parametrize("name", ["a.npy", "a.csv", "a.parquet", "a.idx"])
def test_an_empty_file_is_one_line(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("polars")
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(GantheoryError, match=name):
        points(tmp_path / name)


class Items(Dataset):
    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, k):
        return self.items[k]


X = torch.tensor([1.0, 2.0])


@pytest.mark.parametrize(
    "item", [[1.0, 2.0], (1.0, 2.0), (3, X), (torch.tensor(3), X), (np.float64(1), np.float64(2))]
)
def test_a_dataset_whose_samples_are_not_where_they_are_looked_for_loses_no_number(item):
    with pytest.raises(GantheoryError, match=r"begins with one number.*return the sample as one"):
        points(Items(item, item))


@pytest.mark.parametrize(
    ("item", "row"),
    [((X, 3), [1, 2]), ([X.numpy(), X], [1, 2]), (X, [1, 2]), ((X[0], torch.tensor(3)), [1]),
     (2.5, [2.5]), ((2.5,), [2.5])],
)  # fmt: skip
def test_a_dataset_gives_samples_or_tuples_that_begin_with_one(item, row):
    assert points(Items(item, item)).rows.tolist() == [row, row]


def test_images_of_an_idx_file_are_points_from_zero_to_one(tmp_path):
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (2, 1, 3))
    for name in ("train-images-idx3-ubyte", "t10k-images.idx3-ubyte", "mine.idx"):
        (tmp_path / name).write_bytes(header + bytes([0, 51, 255, 1, 2, 3]))
        assert as_sampler(str(tmp_path / name)).rows[0].tolist() == [0, 0.2, 1]
    (tmp_path / "mine.idx").write_bytes(header)
    with pytest.raises(GantheoryError, match="holds 0 bytes where its header says"):
        points(tmp_path / "mine.idx")


def test_a_parquet_file_of_words_or_of_nothing_ends_in_one_line(tmp_path):
    polars = pytest.importorskip("polars")
    place = tmp_path / "a.parquet"
    polars.DataFrame({"x": [1.0], "name": ["a"]}).write_parquet(place)
    with pytest.raises(GantheoryError, match="column 'name' holds String, not numbers"):
        points(place)
    polars.DataFrame({"x": [1, None]}).write_parquet(place)
    with pytest.raises(GantheoryError, match="1 of 2 points hold nan"):
        points(place)
    place.write_bytes(b"no table")
    with pytest.raises(GantheoryError, match="cannot read"):
        points(place)


def sampler(sample, dim=2):
    return type("Mine", (), {"dim": dim, "sample": staticmethod(sample)})


@pytest.mark.parametrize(
    ("given", "message"),
    [(sampler(lambda n, g, d: torch.randn(2, n, dtype=d))(), r"gave \(2, 3\); a tensor of shape"),
     (sampler(lambda n, g, d: torch.ones(n, dtype=d))(), r"gave \(3,\); a tensor"),
     (sampler(lambda n, g, d: np.ones((n, 2)))(), "of Mine gave ndarray; a tensor of shape"),
     (sampler(lambda n, g, d: torch.ones(2, 2))(), r"\(n, dim\) = \(3, 2\) is wanted"),
     (sampler(lambda n, g, d: torch.ones(n, 2, dtype=torch.cfloat))(), "gave complex numbers"),
     (sampler(lambda n, g, d: torch.full((n, 2), torch.nan))(), "3 of 3 points drawn hold nan"),
     (sampler(lambda n: torch.ones(n, 2))(), "failed: .* takes 1 positional argument"),
     (sampler(lambda n, g, d: torch.ones(n, 2), dim="2")(), "dim='2' must be a whole number"),
     (sampler(lambda n, g, d: torch.ones(n, 2)), r"is a class; give one object of it")],
)  # fmt: skip
def test_a_sampler_that_is_none_is_one_line(given, message):
    with pytest.raises(GantheoryError, match=message):
        as_sampler(given)
    fine = sampler(lambda n, g, d: torch.ones(n, 2))()
    assert as_sampler(fine) is fine


def test_a_sampler_that_fails_later_is_one_line_too():
    few = sampler(lambda n, g, d: torch.ones(min(n, 20), 2, dtype=d))()
    pair = nn.Linear(1, 2), nn.Linear(2, 1)
    for call in (gt.measure, partial(gt.train, steps=2)):
        with pytest.raises(GantheoryError, match=r"gave \(20, 2\); a tensor of shape"):
            call(*pair, few, latent=1)


class Named(Dataset):
    """A data set whose items are mappings."""

    def __len__(self):
        return 3

    def __getitem__(self, place):
        return {"image": torch.ones(2), "label": 0}


class Stream(IterableDataset):
    """A data set without places, which says how long it is all the same."""

    def __len__(self):
        return 3

    def __iter__(self):
        return iter(torch.ones(3, 2))


def test_items_that_are_mappings_and_data_sets_without_places_are_one_line():
    with pytest.raises(GantheoryError, match=r"an item is a mapping \('image', 'label'\)"):
        points(Named())
    with pytest.raises(GantheoryError, match="an iterable dataset has no length"):
        points(Stream())


class Column:
    """A column as pandas has it: an array, whatever its numbers are."""

    def __init__(self, values):
        self.values = np.array(values, object)
        self.dtype = "Int64"

    def __array__(self, *arguments, **options):
        return self.values

    def __len__(self):
        return len(self.values)

    def __getitem__(self, chosen):
        return Column(self.values[chosen])

    def isna(self):
        return np.array([one is None for one in self.values])


class Frame:
    """A table as pandas has it, which need not be here."""

    def __init__(self, **columns):
        self.columns, self.given = list(columns), [Column(one) for one in columns.values()]
        self.dtypes, self.shape, self.iloc = ["Int64"] * len(columns), (3, len(columns)), self

    def __array__(self, *arguments, **options):
        return np.stack([one.values for one in self.given], axis=1)

    def __getitem__(self, place):
        return self.given[place[1]]


def test_a_table_of_pandas_is_its_numbers_and_names_the_column_that_has_none():
    assert points(Frame(x=[1, 2, 3], y=[0.5, True, 2])).rows.tolist() == [[1, 0.5], [2, 1], [3, 2]]
    for frame, message in (
        (Frame(x=[1, 2, 3], name=["a", "b", None]), "column 'name' holds Int64, not numbers"),
        (Frame(x=[1, None, 3]), "1 of 3 points hold nan"),
        (Frame(x=[1, 2, 3], **{"__index_level_0__": [0, 1, 2]}), "last column is called"),
    ):
        with pytest.raises(GantheoryError, match=message):
            as_sampler(frame)


def test_a_parquet_file_that_keeps_an_index_is_not_of_one_dimension_more(tmp_path):
    polars = pytest.importorskip("polars")
    table = {"x": [1.0, 2.0], "__index_level_0__": [0, 1]}
    polars.DataFrame(table).write_parquet(tmp_path / "a.parquet")
    for read in (points, gt.samples):
        with pytest.raises(GantheoryError, match="'__index_level_0__', as an index has"):
            read(tmp_path / "a.parquet")


@pytest.mark.parametrize("data", [np.zeros(5), torch.zeros(5, 2), [1.0, 2.0], None])
def test_an_array_where_a_law_is_wanted_is_one_clear_line(data):
    with pytest.raises(GantheoryError, match=r"is no law: give a density.*points\(data\)"):
        as_density(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [(object(), "data of type object is no data; give a density"), ([], "data of shape"),
     ("missing.csv", "cannot read missing.csv"), ("normal(0", "normal"),
     (np.array([[1j, 0]]), "real numbers, not complex ones"), (["1", "2"], "not text"),
     (np.ma.masked_equal([1.0, 2.0], 2.0), "some of them are masked"),
     (np.array(["2020-01-01"], "M8[D]"), "not dates"),
     (DataLoader(TensorDataset(torch.ones(3))), "give its dataset instead"),
     (TensorDataset(torch.ones(3, dtype=torch.complex64)), "not complex ones"),
     ([[1.0], [2.0, 3.0]], "of equal rows")],
)  # fmt: skip
def test_what_is_no_data_ends_in_one_line(data, message):
    with pytest.raises(GantheoryError, match=message):
        as_sampler(data)


def images(*shape):
    return nn.Sequential(nn.Linear(2, 12), nn.Unflatten(1, shape))


CRITIC = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))


@pytest.mark.parametrize("call", [gt.measure, gt.train])
def test_images_with_their_axes_in_another_order_are_not_read_as_others(call):
    """Both have twelve numbers a point: channels last became channels first by a reshape."""
    last = torch.rand(40, 2, 2, 3)
    options = {"latent": 2, **({"n": 20} if call is gt.measure else {"steps": 1, "batch": 4})}
    for data in (last, points(last).split()[0], TensorDataset(last)):
        with pytest.raises(GantheoryError, match="same axes in another order; permute the data's"):
            call(images(3, 2, 2), CRITIC, data, **options)
    for made, data in [((3, 2, 2), last.permute(0, 3, 1, 2)), ((3, 4), last), ((12,), last),
                       ((1, 2, 2, 3), last), ((3, 2, 2), last.flatten(1))]:  # fmt: skip
        call(images(*made), CRITIC, data, **options)
    with pytest.raises(GantheoryError, match="numbers of one shape"):
        points(Items(torch.ones(2, 3), torch.ones(3, 2)))


def test_a_split_shares_no_row_and_keeps_all():
    whole = points(torch.arange(101.0))
    first, second = whole.split(0.3, seed=4)
    assert (len(first), len(second)) == (30, 71)
    assert sorted(torch.cat([first.rows, second.rows]).flatten().tolist()) == list(range(101))
    with pytest.raises(GantheoryError, match="leaves a part empty"):
        points([1.0, 2.0]).split(0.1)
