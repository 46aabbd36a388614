"""Packed files: told by content, whole or refused, never larger than is sane."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pytest

from data_connections.errors import FileRefused
from data_connections.formats import open_rows, packed
from data_connections.spec.file_format import FileFormat

TEXT = b"OrderId,Amount\n" + b"".join(b"%d,%d.50\n" % (number, number) for number in range(50_000))


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def in_stream(data: bytes) -> bytes:
    """A zip as programs write it that cannot go back: sizes come after the data."""

    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *place: int) -> int:
            raise OSError("one way")

        def tell(self) -> int:
            raise OSError("one way")

    target = OneWay()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", data)
    return target.getvalue()


def rows_of(data: bytes) -> int:
    reader = open_rows(io.BytesIO(data), FileFormat(), name="orders.csv")
    assert reader.header == ("OrderId", "Amount")
    return sum(block.cells.num_rows for block in reader.blocks())


def refused(data: bytes) -> str:
    with pytest.raises(FileRefused) as error:
        rows_of(data)
    return error.value.code


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "gzip of two parts": lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
    "zstd": zstd,
    "zstd of two parts": lambda data: zstd(data[:1000]) + zstd(data[1000:]),
    "zip": lambda data: zipped(("in/orders.csv", data)),
    "zip, stored": lambda data: zipped(("orders.csv", data), method=zipfile.ZIP_STORED),
    "zip, written in one go": in_stream,
    "zip of a mac": lambda data: zipped(("orders.csv", data), ("__MACOSX/._orders.csv", b"x")),
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_packed_file_gives_the_same_rows_whatever_it_is_called(pack: Callable[[bytes], bytes]) -> None:
    assert rows_of(pack(TEXT)) == 50_000


@pytest.mark.parametrize("name", ["gzip", "zstd", "zip"])
@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_a_cut_file_is_refused_and_none_of_its_rows_counts(name: str, cut: float) -> None:
    data = PACKERS[name](TEXT)
    assert refused(data[: int(len(data) * cut)]) == "PACKED_DAMAGED"


@pytest.mark.parametrize("name", ["gzip", "zip"])
def test_one_changed_byte_is_found(name: str) -> None:
    data = bytearray(PACKERS[name](TEXT))
    data[len(data) // 2] ^= 0x10
    assert refused(bytes(data)) == "PACKED_DAMAGED"


@pytest.mark.parametrize("name", ["gzip", "zstd", "zip"])
def test_a_file_that_is_packed_twice_is_refused(name: str) -> None:
    assert refused(PACKERS[name](gzip.compress(TEXT))) == "PACKED_TWICE"


@pytest.mark.parametrize("name", ["gzip", "zstd", "zip"])
def test_a_file_that_grows_without_end_is_stopped_by_what_comes_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "RATIO_FROM", 1024**2)
    bomb = PACKERS[name](b"OrderId,Amount\n" + b"1,1\n" * 2_000_000)
    assert refused(bomb) == "PACKED_TOO_LARGE"


def test_the_size_is_bounded_whatever_the_ratio() -> None:
    stream = packed.unpacked(gzip.compress(TEXT), io.BytesIO(), "orders.csv.gz", most=1000)
    with pytest.raises(FileRefused, match="more than 1,000 bytes"):
        stream.read()


def test_a_zip_holds_one_file() -> None:
    assert refused(zipped(("a.csv", TEXT), ("b.csv", TEXT))) == "ZIP_NOT_ONE_FILE"
    assert refused(zipped(("folder/", b""))) == "ZIP_NOT_ONE_FILE"


def test_a_workbook_is_still_a_workbook() -> None:
    assert refused(zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"))) == "BINARY_FILE"


def test_the_same_name_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a.csv", TEXT), ("a.csv", b"other"))
    assert refused(data) == "ZIP_UNSOUND"
    assert refused(zipped(("a.csv", TEXT), ("A.CSV", b"other"))) == "ZIP_UNSOUND"


def test_two_directories_that_differ_are_refused() -> None:
    data = bytearray(zipped(("good.csv", TEXT)))
    data[30:38] = b"evil.csv"
    assert refused(bytes(data)) == "ZIP_UNSOUND"
    data = bytearray(zipped(("good.csv", TEXT)))
    struct.pack_into("<I", data, 22, 5)
    assert refused(bytes(data)) == "ZIP_UNSOUND"


def test_entries_that_lie_over_each_other_are_refused() -> None:
    data = bytearray(zipped(("a.csv", TEXT), ("b.csv", TEXT)))
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    data[second + 46 : second + 51] = b"b.csv"
    assert refused(bytes(data)) == "ZIP_UNSOUND"


def test_an_encrypted_zip_says_what_to_do() -> None:
    data = bytearray(zipped(("a.csv", TEXT)))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(data)) == "ZIP_ENCRYPTED"
