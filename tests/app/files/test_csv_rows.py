"""CSV text."""

import pytest

from app.files import FileProblem
from app.files.csv_rows import sniff_delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write, read, delimiter):
    """Each of the four delimiters is recognised by itself."""
    rows = ["recorded_at,power,note", "2022-12-07T00:00Z,1.5,a b", "2022-12-07T00:01Z,2.5,"]
    outcome = read(write("\n".join(rows).replace(",", delimiter)))
    assert outcome.channel("power") == [1.5, 2.5]


def test_commas_in_a_file_of_semicolons_are_no_delimiter():
    """What splits all rows alike wins over what happens to stand in some."""
    assert sniff_delimiter("time;power, W;note\n1;2;a,b,c\n3;4;\n") == ";"


def test_decimal_commas_are_taken_when_asked_for(write, read):
    """Numbers of a European export are read with the option, and rejected without."""
    path = write("recorded_at;power;energy\n2022-12-07T00:00Z;1.234,5;0,25\n2022-12-07T00:01Z;7;1\n")
    outcome = read(path, decimal_comma=True)
    assert outcome.channel("power") == [1234.5, 7.0]
    assert outcome.channel("energy") == [0.25, 1.0]
    assert read(path).codes == {2: "NOT_A_NUMBER"}


def test_a_byte_order_mark_is_no_part_of_the_first_column(write, read):
    """Files of spreadsheets begin with a mark, in UTF-8 or UTF-16."""
    text = "recorded_at,power\r\n2022-12-07T00:00Z,1\r\n"
    assert read(write(text.encode("utf-8-sig"))).channel("power") == [1.0]
    assert read(write(text.encode("utf-16"))).channel("power") == [1.0]


def test_quoted_newlines_keep_line_numbers_right(write, read):
    """A row is known by the line on which it begins, however many lines it and others take."""
    outcome = read(
        write(
            'recorded_at,"no\nte",power\n'
            '2022-12-07T00:00Z,"one\ntwo\nthree",1\n'
            "\n"
            "2022-12-07T00:01Z,,2\n"
            '2022-12-07T00:02Z,"a ""b""",x\n'
        )
    )
    assert outcome.lines == [3, 7]
    assert outcome.codes == {8: "NOT_A_NUMBER"}


def test_rows_of_another_width_are_rejected(write, read):
    """Too few or too many fields cost the row, not the file."""
    outcome = read(write("recorded_at,power\n2022-12-07T00:00Z\n2022-12-07T00:01Z,2,3\n2022-12-07T00:02Z,4\n"))
    assert outcome.lines == [4]
    assert [row.message for row in outcome.rejected] == [
        "has 1 fields where the header has 2",
        "has 3 fields where the header has 2",
    ]


def test_a_stray_quotation_mark_costs_its_row_only(write, read):
    """Lines that an open quotation mark swallowed are read again."""
    outcome = read(
        write('recorded_at,note,power\n2022-12-07T00:00Z,"oops,1\n2022-12-07T00:01Z,,2\n2022-12-07T00:02Z,"fine",3\n')
    )
    assert outcome.codes == {2: "MALFORMED_ROW"}
    assert outcome.lines == [3, 4]


def test_a_stray_quotation_mark_near_the_end_costs_its_row_only(write, read):
    """An open quotation mark that nothing closes ends with its line too."""
    outcome = read(write('recorded_at,power\n2022-12-07T00:00Z,"1\n2022-12-07T00:01Z,2\n'))
    assert outcome.codes == {2: "MALFORMED_ROW"}
    assert outcome.lines == [3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_as_one(write, read, end):
    """Lines of Unix, Windows and old spreadsheets are numbered alike."""
    outcome = read(write(end.join(["recorded_at,power", "2022-12-07T00:00Z,x", "2022-12-07T00:01Z,1", ""])))
    assert outcome.codes == {2: "NOT_A_NUMBER"}
    assert outcome.lines == [3]


def test_bytes_that_are_no_utf8_spoil_only_their_values(write, read):
    """A column in another encoding does no harm where it is not read."""
    outcome = read(write(b"recorded_at,place,power\n2022-12-07T00:00Z,K\xfcche,1\n2022-12-07T00:01Z,x,\xb2\n"))
    assert outcome.channel("power") == [1.0]
    assert outcome.rejected[0].message.encode()


def test_an_endless_line_is_one_clear_error(write, read):
    """A file without lines is refused before it fills the memory."""
    with pytest.raises(FileProblem, match=r"Line 2 of readings\.csv is longer than 1,048,576 characters"):
        read(write("recorded_at,power\n" + "x" * 3_000_000))


def test_a_header_that_is_no_csv_is_one_clear_error(write, read):
    """Without a header nothing can be mapped."""
    with pytest.raises(FileProblem, match=r"The header of readings\.csv is no CSV"):
        read(write('recorded_at,"power"x\n2022-12-07T00:00Z,1\n'))


def test_a_header_without_rows_is_an_empty_file_of_readings(write, read):
    """Nothing to load is no error."""
    assert read(write("recorded_at,power\n")).batches == []


def test_a_column_that_is_there_twice_cannot_be_read(write, read):
    """It is not guessed which of two columns is meant."""
    with pytest.raises(FileProblem, match="two columns 'power'"):
        read(write("recorded_at,power,power\n2022-12-07T00:00Z,1,2\n"))
