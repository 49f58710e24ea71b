"""The page as a file: its structure, its texts, what it may load, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("jinja2")

from example_report import HOSTILE, alike_report, example_report, figure, hostile_report, png

from pocket_combine.errors import DeclarationError
from pocket_combine.report.contents import Cell, Column, Detail, Figure, Mark, Paragraph, Report, Row, Section, Table
from pocket_combine.report.page import anchor, detail_anchor, render, sort_value
from pocket_combine.report.pictures import picture_of, png_size

TEMPLATES = Path(sys.modules["pocket_combine.report.page"].__file__ or "").parent / "templates"
VOID = {"meta", "img", "input", "wbr", "br", "link", "hr"}
PRINTED = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
"""What a reader sees of `HOSTILE`."""


@dataclass
class Node:
    """An element, with its texts and elements in their order."""

    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, tag: str, kind: str = "") -> list[Node]:
        return [node for node in self.walk() if node.tag == tag and (not kind or kind in node.kinds)]

    @property
    def kinds(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Reader(HTMLParser):
    """Makes a tree of a page, and complains about elements that are not closed in their order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}: {attrs}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Node:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, f"not closed: {[node.tag for node in reader.open]}"
    return reader.root


def by_id(tree: Node, name: str) -> Node:
    (found,) = [node for node in tree.walk() if node.attributes.get("id") == name]
    return found


EXAMPLE = render(example_report())
REPORTS = {
    "example": example_report(),
    "unblinded": example_report(3, 1, blind=False),
    "hostile": hostile_report(),
    "empty": Report("nothing", True, {}, ()),
    "alike": alike_report(),
}


@pytest.mark.parametrize("name", REPORTS)
def test_elements_close_ids_are_unique_and_links_lead_somewhere(name: str) -> None:
    tree = read(render(REPORTS[name]))
    ids = [node.attributes["id"] for node in tree.walk() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    assert not [name for name in ids if not re.fullmatch(r"[A-Za-z0-9_.~/-]+", name)]
    links = [node.attributes["href"] for node in tree.all("a")]
    assert len(links) >= 2
    assert [link for link in links if not link.startswith("#") or link[1:] not in ids] == []
    named = [
        node.attributes[key] for node in tree.walk() for key in ("aria-labelledby", "for") if key in node.attributes
    ]
    assert set(named) <= set(ids)


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_loads_nothing_and_allows_its_own_program_and_style_alone(name: str) -> None:
    page = render(REPORTS[name])
    tree = read(page)
    assert {node.attributes["src"].split(",")[0] for node in tree.all("img")} <= {"data:image/png;base64"}
    assert [node for node in tree.walk() if node.tag in ("link", "iframe", "object", "base", "form")] == []
    assert [node for node in tree.walk() if "style" in node.attributes] == []
    assert [key for node in tree.walk() for key in node.attributes if key.startswith("on")] == []
    (script,), (style,) = tree.all("script"), tree.all("style")
    assert script.attributes == style.attributes == {}
    hashes = {
        node.tag: base64.b64encode(hashlib.sha256(node.text.encode()).digest()).decode() for node in (script, style)
    }
    (policy,) = [node.attributes["content"] for node in tree.all("meta") if "http-equiv" in node.attributes]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|WebSocket", style.text + script.text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", script.text)


def test_an_unsafe_text_is_a_text_wherever_it_stands() -> None:
    tree = read(render(hostile_report()))
    assert [node.attributes["alt"] for node in tree.all("img")] == [PRINTED, PRINTED]
    for tag in ("h1", "h2", "h3", "figcaption", "dd", "dt", "code"):
        assert tree.all(tag), tag
    assert by_id(tree, "head/" + anchor(HOSTILE)).text == f"{PRINTED} ✗ bad"
    assert by_id(tree, "head/" + detail_anchor(HOSTILE)).text == PRINTED
    assert tree.all("h1")[0].text == PRINTED
    assert tree.all("title")[0].text == f"{PRINTED} · UNBLINDED · statistical report"
    assert {node.text for node in tree.all("code")} == {PRINTED}
    assert {node.text.strip() for node in tree.all("p", "caption")} == {PRINTED}
    assert {node.text for node in tree.all("dt")} == {PRINTED, "took"}
    assert [node.attributes["title"] for node in tree.all("th") if "title" in node.attributes] == [PRINTED, PRINTED]
    page = render(hostile_report())
    assert page.count("</script>") == page.count("</style>") == 1
    assert page.encode("utf-8").count(b"\x00") == 0


def test_the_head_says_whether_the_report_is_blind() -> None:
    blind, seen = read(EXAMPLE), read(render(REPORTS["unblinded"]))
    assert by_id(blind, "page/blinding").text == "Blind Nothing on this page depends on the observation."
    assert by_id(seen, "page/blinding").text == "Unblinded This page shows results of the observation."
    assert [tree.all("body")[0].kinds for tree in (blind, seen)] == [["blind"], ["unblinded"]]
    assert blind.all("title")[0].text == "ttH(bb) Run 3, combination of 3 channels · blind · statistical report"
    (made,) = blind.all("dl", "made")
    assert [node.text for node in made.all("dt")] == ["pocket_combine", "card", "sha256"]


def test_the_overview_has_every_answer_and_its_mark() -> None:
    tree = read(EXAMPLE)
    rows = [
        [cell.text for cell in row.walk() if cell.tag in ("th", "td")]
        for row in tree.all("table", "overview")[0].all("tr")
    ]
    assert rows[0] == ["Section", "Answer", "Mark"]
    assert rows[2] == [
        "Checks of the card",
        "2 findings ask for a look: templates that are one-sided, and an empty bin.",
        "! notice",
    ]
    assert [row[2] for row in rows[1:]] == ["✓ good", "! notice", "✓ good", "✗ bad", "– skipped", "✓ good"]
    assert " ".join(tree.all("p", "tally")[0].text.split()) == "✓ good 3 ! notice 1 ✗ bad 1 – skipped 1"
    assert [node.text for node in tree.all("nav")[0].all("a")][-1] == "✓ Correlation scheme, good"


def test_a_section_says_how_it_was_run() -> None:
    section = by_id(read(EXAMPLE), "impacts")
    (how,) = section.all("aside")
    command = next(section.command for section in example_report().sections if section.name == "impacts")
    assert how.all("code")[0].text == command
    options = [node.text for node in how.all("span", "whole")]
    assert options == ["--expect-signal", "--set-parameter", "--output", "--processes"]
    pairs = [[part.text for part in pair.children if isinstance(part, Node)] for pair in how.all("div")]
    assert pairs == [["toys", "0"], ["expected signal", "r = 1"], ["tolerance", "1e-4"], ["took", "1 min 15 s"]]
    assert by_id(read(EXAMPLE), "fit").all("dd")[0].text == "1 h 7 min"
    assert by_id(read(EXAMPLE), "gof").all("aside") == []


def test_a_table_has_heads_values_marks_and_links_to_details() -> None:
    tree = read(EXAMPLE)
    table = by_id(tree, "table/impacts/ranking")
    heads, first = table.all("tr")[0].all("th"), table.all("tr")[1]
    assert [node.text for node in heads] == [column.title for column in example_report().sections[2].parts[0].columns]  # type: ignore[union-attr]  # it is the table
    assert {node.attributes["scope"] for node in heads} == {"col"}
    assert [node.attributes["scope"] for node in first.all("th")] == ["row"], "the first column of texts names the row"
    assert first.all("a")[0].attributes["href"] == "#detail/CMS_effect_1"
    values = [cell.attributes.get("data-value") for cell in first.walk() if cell.tag in ("th", "td")]
    assert values[0] == "1.0"
    assert values[1:3] == [None, None]
    assert values[5:] == ["0.2", "-0.2"]
    assert table.all("output")[0].text == "30 rows"
    marked = [cell.text for row in table.all("tr")[1:] for cell in row.all("td") if {"bad", "notice"} & set(cell.kinds)]
    assert marked
    assert all(abs(float(text.replace("−", "-"))) >= 1.0 for text in marked)
    assert table.all("details")[0].all("dt")[1].text == "pull"


def test_empty_reports_sections_and_tables_say_so() -> None:
    empty = by_id(read(render(REPORTS["empty"])), "page/overview")
    assert "There are no sections: nothing was run." in empty.text
    table = by_id(read(EXAMPLE), "table/scheme/none")
    assert [(node.text, node.attributes["colspan"]) for node in table.all("td")] == [("none", "7")]
    assert [node for node in table.all("table") if "sortable" in node.kinds] == []


def test_figures_stand_together_with_their_captions_and_sizes() -> None:
    (together,) = by_id(read(EXAMPLE), "checks").all("div", "figures")
    assert [node.text.split(":")[0] for node in together.all("figcaption")] == ["one_sided", "empty_bin", "third"]
    image = together.all("img")[2]
    assert (image.attributes["width"], image.attributes["height"]) == ("800", "320")
    assert image.attributes["alt"] == "Histogram of third"


def test_the_same_report_has_the_same_bytes_in_every_process() -> None:
    program = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1])\n"
        "from example_report import hostile_report; from pocket_combine.report.page import render\n"
        "print(hashlib.sha256(render(hostile_report()).encode()).hexdigest())"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"})  # noqa: S603
    assert done.stdout.strip() == hashlib.sha256(render(hostile_report()).encode()).hexdigest()
    assert render(example_report()) == EXAMPLE


def test_contradictions_are_refused_together() -> None:
    table = Table("t", (Column("a"), Column("b")), (Row((Cell("x"),)), Row((Cell("x"), Cell("y")), "gone")))
    broken = Figure("f", "", "", b"GIF89a")
    movie = Figure("g", "", "", b"", "video/mp4")
    report = Report(
        "card",
        True,
        {},
        (Section("s", "S", "", parts=(table, table, broken, movie)), Section("s", "S", "")),
        {"key": Detail("other", "", ())},
    )
    with pytest.raises(DeclarationError) as caught:
        render(report)
    assert caught.value.problems == (
        "report 'card': 2 sections have the name 's'",
        "report 'card': section 's': 2 tables have the name 't'",
        *(
            "report 'card': section 's': table 't': row 1 has 1 cells, expected 2, one per column",
            "report 'card': section 's': table 't': row 2 opens the detail 'gone', which is not there",
        )
        * 2,
        "report 'card': section 's': figure 'f': 6 bytes that are not a PNG file",
        "report 'card': section 's': figure 'g': a picture of the type 'video/mp4', "
        "expected image/png or image/svg+xml",
        "report 'card': detail 'other' is kept under the key 'key'",
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("+0.12", 0.12),
        ("−0.12", -0.12),
        ("1,204.9", 1204.9),
        ("12 345", None),  # a space may separate two numbers
        ("1.2 ×10⁻³", None),
        ("1.5 +0.2 −0.3", 1.5),
        ("12 of 300", 12.0),
        ("12\u202f345", 12345.0),
        ("1.5 ± 0.1", 1.5),
        ("1.5/−0.2", 1.5),
        ("3%", 3.0),
        ("< 0.01", 0.01),
        ("1e-3", 0.001),
        ("1e−3", 0.001),
        (".5", 0.5),
        ("–", None),
        ("", None),
        ("1.2×10⁻³", None),
        ("2016postVFP", None),
        ("nan", None),
    ],
)
def test_a_number_is_read_from_its_text_or_not_at_all(text: str, value: float | None) -> None:
    assert sort_value(Cell(text), Column("x", number=True)) == value


@pytest.mark.parametrize(
    ("value", "shown"), [(float("inf"), "Infinity"), (float("-inf"), "-Infinity"), (1e-300, "1e-300")]
)
def test_numbers_are_written_as_a_browser_reads_them(value: float, shown: str) -> None:
    table = Table("t", (Column("x", number=True),), (Row((Cell("shown", value),)), Row((Cell("n", float("nan")),))))
    tree = read(render(Report("r", True, {}, (Section("s", "S", "", parts=(table,)),))))
    cells = by_id(tree, "table/s/t").all("tbody")[0].all("th")
    assert [cell.attributes.get("data-value") for cell in cells] == [shown, None]


@given(
    st.text(st.characters(exclude_categories=[]), max_size=8), st.text(st.characters(exclude_categories=[]), max_size=8)
)
def test_names_have_anchors_of_their_own(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.~-]*", anchor(one))
    assert (anchor(one) == anchor(other)) == (one == other)


def test_the_size_of_a_picture_is_that_in_inches() -> None:
    width, height, resolution = png_size(png(300, 120, resolution=100.0))
    assert (width, height, round(resolution, 2)) == (300, 120, 100.0)
    assert png_size(png(300, 120, resolution=None)) == (300, 120, 150.0)
    picture = picture_of(png(300, 120, resolution=100.0), "image/png")
    assert (picture.width, picture.height) == (240, 96)
    assert base64.b64decode(picture.address.split(",")[1]) == png(300, 120, resolution=100.0)
    for broken in (b"", b"\x89PNG\r\n\x1a\n", png(10, 10)[:20], b"<svg/>"):
        with pytest.raises(ValueError, match=f"^{len(broken)} bytes that are not a PNG file$"):
            png_size(broken)


def test_a_drawing_of_lines_is_held_as_it_is() -> None:
    drawing = replace(figure("x"), picture=b"<svg xmlns='http://www.w3.org/2000/svg'/>", media_type="image/svg+xml")
    tree = read(render(Report("r", True, {}, (Section("s", "S", "", parts=(drawing,)),))))
    (image,) = tree.all("img")
    assert base64.b64decode(image.attributes["src"].removeprefix("data:image/svg+xml;base64,")) == drawing.picture
    assert "width" not in image.attributes


def test_without_jinja_the_error_says_what_to_install() -> None:
    program = """
import sys
sys.modules["jinja2"] = None
from pocket_combine.report.contents import Report
from pocket_combine.report.page import render
try:
    render(Report("r", True, {}, ()))
except ImportError as error:
    print(type(error).__name__, error)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == (
        "MissingDependencyError the page of a report needs Jinja, which is not installed: "
        "pip install 'pocket-combine[plot]'\n"
    )


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_have_the_contrast_that_wcag_asks_for(theme: int) -> None:
    blocks = re.findall(r":root \{([^}]*--paper[^}]*)\}", (TEMPLATES / "page.css").read_text(encoding="utf-8"))
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[theme]))
    pairs = [(ink, paper) for ink in ("ink", "quiet", "link") for paper in ("paper", "raised", "row")]
    marks = [mark.value for mark in Mark]
    pairs += [(mark, f"{mark}-paper") for mark in marks] + [(mark, "paper") for mark in marks]
    for one, other in pairs:
        light, dark = sorted((_luminance(colours[one]), _luminance(colours[other])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{one} on {other}"


def test_paragraphs_keep_their_lines() -> None:
    parts = (Paragraph("one\ntwo"), Paragraph("  code\n    indented\n", code=True))
    section = by_id(read(render(Report("r", True, {}, (Section("s", "S", "", parts=parts),)))), "s")
    assert section.all("p", "text")[0].text == "one\ntwo"
    assert section.all("code")[0].text == "  code\n    indented\n"
