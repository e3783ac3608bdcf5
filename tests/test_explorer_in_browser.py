"""The static face in real Chromium: keyboard, pointer, links, dark mode, a phone, no scripts, 200 settings."""

import re
from functools import cache, partial
from importlib.resources import files

import pytest
from matplotlib.figure import Figure

from lossprimer.explorer import Picture, choice, explore, pictured, slider, steps
from lossprimer.explorer.dark import on_dark
from lossprimer.explorer.shown import STATIC
from lossprimer.explorer.static import NOT_INTERACTIVE, explorer_html
from tests.waiting import expect

# Nothing inline may run or style, and nothing may come from elsewhere.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"


# Drawn once: for the page, and for the test that compares all of them with what the page shows.
@cache
@pictured
def bar(height, kind="plain"):
    figure = Figure()
    axes = figure.add_subplot()
    axes.bar([0], [height], color="C0", hatch="" if kind == "plain" else "//")
    # Few ticks: there are 200 drawings, and it is the ticks that take long.
    axes.set(ylim=(0, 200), xlabel="bar", xticks=[0], yticks=[0, 100, 200])
    return figure, f"A {kind} bar of height {height:g}."


@pictured
def dot(place):
    figure = Figure()
    axes = figure.add_subplot(xlim=(0, 10), ylim=(0, 2))
    axes.plot([place], [1], "o")
    return figure, f"A dot at {place:g}."


# What the page is made of, for the tests that compare it with what the page shows.
drawing = cache(Picture.svg)

EXPLORERS = (
    explore(bar, title="One bar", height=slider("Height h", range(0, 200), initial=100)),
    explore(
        bar,
        title="Two controls",
        height=slider("Height h", [1, 2, 3], initial=2),
        kind=choice("Kind of bar", ["plain", "hatched"]),
    ),
    explore(
        partial(bar, kind="plain"),
        title="Many names",
        height=choice("Size", {name: 10 + 20 * place for place, name in enumerate("abcdefg")}, initial="b"),
    ),
    explore(dot, title="A dot", place=slider("Place", [0, 1, 2, 5, 10], initial=2, along=0)),
    steps("Three bars", [partial(bar, height) for height in (10, 20, 30)]),
)


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    """Serve one page with the explorers, under a strict policy; returns its address."""
    folder = tmp_path_factory.mktemp("explorers")
    for name in ("explorer.js", "explorer.css"):
        (folder / name).write_text((files("lossprimer.explorer") / name).read_text("utf-8"), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Picture, "svg", drawing)
        body = "<p>Text between.</p>".join(map(explorer_html, EXPLORERS))
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>Explorers</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="explorer.css"><link rel="icon" href="data:,">'
        f'<script defer src="explorer.js"></script><body><main><h1>Explorers</h1>{body}</main></html>',
        "utf-8",
    )
    return f"{serve(folder)}/index.html"


@pytest.fixture
def page(window, address):
    """The page, opened anew."""
    window.goto("about:blank")
    window.emulate_media(media="null", color_scheme="null", reduced_motion="null")
    window.goto(address)
    return window


def caption(page, name):
    return page.locator(f"#{name} figcaption")


@pytest.mark.parametrize(
    ("key", "height"),
    [("ArrowRight", 101), ("ArrowUp", 101), ("ArrowLeft", 99), ("ArrowDown", 99), ("Home", 0), ("End", 199)],
)
def test_keys_move_the_slider(page, key, height):
    slider_input = page.get_by_label("Height h").first
    slider_input.press(key)
    expect(caption(page, "one-bar")).to_have_text(f"A plain bar of height {height}.")
    expect(slider_input).to_have_attribute("aria-valuetext", str(height))
    expect(page.locator("#one-bar output")).to_have_text(str(height))


@pytest.mark.parametrize(("key", "sign"), [("PageUp", +1), ("PageDown", -1)])
def test_page_keys_move_the_slider_in_larger_steps(page, key, sign):
    slider_input = page.get_by_label("Height h").first
    slider_input.press(key)
    assert sign * (int(slider_input.input_value()) - 100) > 1


def test_every_one_of_200_settings_shows_its_own_picture(page):
    page.emulate_media(reduced_motion="reduce")
    expected = [(drawing(bar(height=at), "one-bar-"), f"A plain bar of height {at}.") for at in range(200)]
    shown = page.get_by_label("Height h").first.evaluate(
        """(input, drawings) => drawings.map((drawing, at) => {
          input.value = at;
          input.dispatchEvent(new Event("input"));
          const figure = input.closest("figure");
          const expected = document.createElement("div");
          expected.innerHTML = drawing;
          const shown = figure.querySelector(".picture-drawing").innerHTML;
          return [shown === expected.innerHTML, figure.querySelector("figcaption").innerText];
        })""",
        [drawing for drawing, _ in expected],
    )
    assert shown == [[True, sentence] for _, sentence in expected]


def test_the_pointer_drags_the_slider(page):
    slider_input = page.get_by_label("Height h").first
    box = slider_input.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    seen = set()
    for part in (0.6, 0.7, 0.8, 0.9):
        page.mouse.move(box["x"] + part * box["width"], middle)
        seen.add(caption(page, "one-bar").inner_text())
    page.mouse.up()
    assert len(seen) == 4
    assert 150 < int(slider_input.input_value()) < 199


def test_a_drag_to_the_right_only_raises_the_value_and_the_track_keeps_its_length(page):
    slider_input = page.get_by_label("Height h").first
    box = slider_input.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10, middle)
    page.mouse.down()
    track = """() => {
      const input = document.querySelector("#one-bar input");
      const { x, y, width, height } = input.getBoundingClientRect();
      return [Number(input.value), { x, y, width, height }];
    }"""
    values, boxes = [], []
    for x in range(10, int(box["width"]), 6):
        page.mouse.move(box["x"] + x, middle)
        value, seen = page.evaluate(track)
        values.append(value)
        boxes.append(seen)
    page.mouse.up()
    assert values == sorted(values)
    assert values[-1] > values[0]
    assert all(seen == box for seen in boxes)


def test_the_ends_of_a_track_and_the_value_stand_beside_it(page):
    row = page.locator("#one-bar .explorer-row")
    low, high = row.locator(".explorer-track span").all()
    assert (low.inner_text(), high.inner_text()) == ("0", "199")
    label, output = row.locator("label").bounding_box(), row.locator("output").bounding_box()
    assert abs(label["y"] - output["y"]) < 4
    assert label["y"] < row.locator("input").bounding_box()["y"]


def test_arrow_keys_go_through_the_names_of_a_radio_group(page):
    page.get_by_role("radio", name="plain").press("ArrowRight")
    expect(page.get_by_role("radio", name="hatched")).to_be_focused()
    expect(caption(page, "two-controls")).to_have_text("A hatched bar of height 2.")


def test_more_than_six_names_are_a_list(page):
    page.get_by_label("Size").select_option("g")
    expect(caption(page, "many-names")).to_have_text("A plain bar of height 130.")


def test_reset_brings_back_the_first_setting_and_its_address(page, address):
    figure = page.locator("#two-controls")
    figure.get_by_label("Height h").press("End")
    page.get_by_role("radio", name="hatched").check()
    page.wait_for_url("**#two-controls.height=3&two-controls.kind=hatched")
    figure.get_by_role("button", name="Reset").click()
    expect(caption(page, "two-controls")).to_have_text("A plain bar of height 2.")
    expect(page.get_by_role("radio", name="plain")).to_be_checked()
    page.wait_for_url(address)


DRAWN = "() => document.querySelector('#one-bar .picture-drawing').innerHTML"


def canonical(page, picture):
    """Return the drawing as the browser writes it."""
    parsed = "svg => Object.assign(document.createElement('div'), { innerHTML: svg }).innerHTML"
    return page.evaluate(parsed, picture.svg("one-bar-"))


def bars_while_gliding(page, key):
    """Press a key, and return the bar's outline in each frame until it rests."""
    return page.evaluate(
        """key => new Promise((resolve) => {
          const input = document.querySelector("#one-bar input");
          const bar = () => document.querySelector("#one-bar svg path[fill='#1f77b4']").getAttribute("d");
          const seen = [bar()];
          input.value = key;
          input.dispatchEvent(new Event("input"));
          const text = document.querySelector("#one-bar figcaption").innerText;
          const began = performance.now();
          const look = () => {
            seen.push(bar());
            performance.now() - began < 400 ? requestAnimationFrame(look) : resolve([text, seen]);
          };
          look();
        })""",
        key,
    )


def test_the_drawing_glides_and_ends_where_python_drew_it(page):
    text, seen = bars_while_gliding(page, 199)
    assert text == "A plain bar of height 199."  # at once
    # The last digits are rounding's.
    heights = [min(round(float(y), 6) for y in re.findall(r"[ ,L]([\d.]+)(?=[A-Z ]|$)", outline)) for outline in seen]
    assert len(set(seen)) > 2
    assert heights == sorted(heights, reverse=True)
    assert page.evaluate(DRAWN) == canonical(page, EXPLORERS[0].picture([199]))


def test_nothing_glides_for_readers_who_want_no_motion(page):
    page.emulate_media(reduced_motion="reduce")
    _, seen = bars_while_gliding(page, 199)
    assert len(set(seen)) == 2


def test_a_move_in_the_middle_of_a_glide_ends_where_python_drew_it(page):
    slider_input = page.get_by_label("Height h").first
    for _ in range(4):
        slider_input.press("ArrowRight")
    page.wait_for_timeout(300)
    assert page.evaluate(DRAWN) == canonical(page, EXPLORERS[0].picture([104]))


def test_a_section_keeps_its_place_in_the_history(open_page, address):
    page = open_page(f"{address}#section")
    page.get_by_label("Height h").first.press("ArrowRight")
    page.wait_for_url("**#one-bar.height=101")
    page.get_by_label("Height h").first.press("ArrowRight")
    page.wait_for_url("**#one-bar.height=102")
    page.go_back()
    page.wait_for_url("**#section")
    page.go_forward()
    page.wait_for_url("**#one-bar.height=102")
    expect(caption(page, "one-bar")).to_have_text("A plain bar of height 102.")


@pytest.fixture
def phone(open_page, address):
    return open_page(address, viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True)


@pytest.fixture
def finger(phone):
    """Return what puts a finger down, moves it through some places, and keeps it there."""
    session = phone.context.new_cdp_session(phone)

    def move(*places):
        for place, (x, y) in enumerate(places):
            kind = "touchMove" if place else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            phone.wait_for_timeout(20)

    yield move
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_swipe_that_starts_on_a_slider_scrolls_and_changes_nothing(phone, finger):
    slider_input = phone.get_by_label("Height h").first
    box = slider_input.bounding_box()
    x, y = box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2
    finger(*((x, y - up) for up in range(0, 80, 8)))
    phone.wait_for_timeout(400)
    assert phone.evaluate("scrollY") > 20
    assert slider_input.input_value() == "100"
    expect(phone.locator("#one-bar output")).to_have_text("100")
    expect(caption(phone, "one-bar")).to_have_text("A plain bar of height 100.")
    assert "height" not in phone.url


def test_a_finger_drags_the_slider(phone, finger):
    slider_input = phone.get_by_label("Height h").first
    box = slider_input.bounding_box()
    y = box["y"] + box["height"] / 2
    finger(*((box["x"] + part * box["width"], y) for part in (0.5, 0.6, 0.7, 0.8, 0.9)))
    value = int(slider_input.input_value())
    assert value > 150
    expect(caption(phone, "one-bar")).to_have_text(f"A plain bar of height {value}.")


def marker(page):
    """Return the middle of the dot, and of the drawing's axes."""
    box = page.locator("#a-dot .picture-drawing svg g[clip-path] use, #a-dot .picture-drawing svg use[fill]").last
    seen = box.bounding_box()
    return seen["x"] + seen["width"] / 2, seen["y"] + seen["height"] / 2


def test_the_marker_of_a_slider_that_is_an_axis_can_be_dragged(page):
    page.emulate_media(reduced_motion="reduce")
    figure = page.locator("#a-dot")
    figure.scroll_into_view_if_needed()
    places = {}
    for _ in range(5):
        places[figure.locator("output").inner_text()] = marker(page)
        figure.get_by_role("slider").press("ArrowRight")
    figure.get_by_role("slider").press("Home")
    for _ in range(5):
        places[figure.locator("output").inner_text()] = marker(page)
        figure.get_by_role("slider").press("ArrowRight")
    assert sorted(places, key=int) == ["0", "1", "2", "5", "10"]
    page.mouse.move(*places["10"])
    page.mouse.down()
    for text in ("5", "2", "1", "0", "5"):
        x, y = places[text]
        page.mouse.move(x + 3, y + 20)
        expect(figure.locator("output")).to_have_text(text)
        expect(caption(page, "a-dot")).to_have_text(f"A dot at {text}.")
    page.mouse.up()
    page.mouse.move(*places["0"])
    expect(figure.locator("output")).to_have_text("5")


def test_a_finger_that_scrolls_over_a_picture_moves_nothing(phone, finger):
    figure = phone.locator("#a-dot")
    figure.evaluate("figure => figure.scrollIntoView({ block: 'center' })")
    before = phone.evaluate("scrollY")
    x, y = marker(phone)
    finger(*((x + 60, y - up) for up in range(0, 80, 8)))
    phone.wait_for_timeout(300)
    assert phone.evaluate("scrollY") > before + 20
    expect(figure.locator("output")).to_have_text("2")


def test_two_controls_work_together(page):
    page.locator("#two-controls").get_by_label("Height h").press("End")
    page.get_by_role("radio", name="hatched").check()
    expect(caption(page, "two-controls")).to_have_text("A hatched bar of height 3.")
    expect(caption(page, "one-bar")).to_have_text("A plain bar of height 100.")


def test_steps_go_forward_and_back_by_keyboard_and_keep_the_focus(page):
    stepper = page.locator("#three-bars")
    forward, back = stepper.get_by_role("button", name="Next"), stepper.get_by_role("button", name="Back")
    expect(back).to_have_attribute("aria-disabled", "true")
    forward.press("Enter")
    forward.press(" ")
    forward.press("Enter")
    expect(stepper.locator("output")).to_have_text("3 / 3")
    expect(caption(page, "three-bars")).to_have_text("A plain bar of height 30.")
    expect(forward).to_have_attribute("aria-disabled", "true")
    expect(forward).to_be_focused()
    back.click()
    expect(stepper.locator("output")).to_have_text("2 / 3")


def test_a_screen_reader_meets_named_controls_a_named_picture_and_a_status(page):
    tree = page.locator("#two-controls").aria_snapshot()
    for line in (
        'group "Two controls"',
        'slider "Height h"',
        'radiogroup "Kind of bar"',
        'radio "plain" [checked]',
        "status",
    ):
        assert line in tree
    assert 'img "A plain bar of height 2."' in tree


def test_the_sentence_is_announced_once_the_slider_rests(page):
    status = page.locator("#one-bar [role=status]")
    slider_input = page.get_by_label("Height h").first
    for _ in range(5):
        slider_input.press("ArrowRight")
    assert status.inner_text() == ""
    expect(status).to_have_text("A plain bar of height 105.")


def test_a_setting_is_kept_in_the_address_and_can_be_linked_to(page, open_page):
    page.get_by_label("Height h").first.press("ArrowRight")
    page.get_by_role("radio", name="hatched").check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**#three-bars.step=2&two-controls.kind=hatched&one-bar.height=101")
    linked = open_page(page.url)
    expect(caption(linked, "one-bar")).to_have_text("A plain bar of height 101.")
    expect(caption(linked, "two-controls")).to_have_text("A hatched bar of height 2.")
    expect(caption(linked, "three-bars")).to_have_text("A plain bar of height 20.")
    expect(linked.get_by_role("radio", name="hatched")).to_be_checked()


def test_a_link_brings_its_explorer_into_view(open_page, address):
    page = open_page(f"{address}#three-bars.step=3", viewport={"width": 800, "height": 300})
    expect(page.locator("#three-bars .picture-drawing")).to_be_in_viewport()


def test_back_at_the_first_setting_the_address_is_clean(page, address):
    slider_input = page.get_by_label("Height h").first
    slider_input.press("ArrowRight")
    page.wait_for_url("**#one-bar.height=101")
    slider_input.press("ArrowLeft")
    page.wait_for_url(address)


def test_a_link_with_unknown_values_changes_nothing(open_page, address):
    page = open_page(f"{address}#one-bar.height=12345&two-controls.colour=red&nobody=1")
    expect(caption(page, "one-bar")).to_have_text("A plain bar of height 100.")
    expect(caption(page, "two-controls")).to_have_text("A plain bar of height 2.")


def test_following_a_link_within_the_page_sets_the_explorer(page):
    page.evaluate("location.hash = 'one-bar.height=7'")
    expect(caption(page, "one-bar")).to_have_text("A plain bar of height 7.")


def test_dark_mode_shows_the_twin_of_each_colour_at_every_setting(page):
    drawn = """() => {
      const found = [...document.querySelectorAll("#one-bar svg [fill='#1f77b4']")];
      return [...new Set(found.map((element) => getComputedStyle(element).fill))];
    }"""
    light = page.evaluate(drawn)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    dark = page.evaluate(drawn)
    page.get_by_label("Height h").first.press("ArrowRight")
    as_css = [f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"
              for colour in ("#1f77b4", on_dark("#1f77b4"))]  # fmt: skip
    assert [light, dark, page.evaluate(drawn)] == [as_css[:1], as_css[1:], as_css[1:]]
    # Of themes that leave it to the system.
    page.evaluate("document.documentElement.dataset.theme = 'auto'")
    for scheme, expected in {"light": as_css[:1], "dark": as_css[1:]}.items():
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(drawn) == expected
    line = """mark => {
      for (const [name, value] of [["fill", "none"], ["stroke", "#1f77b4"]]) mark.setAttribute(name, value);
      return [getComputedStyle(mark).stroke];
    }"""
    assert page.locator("#one-bar svg [fill='#1f77b4']").first.evaluate(line) == as_css[1:]


@pytest.mark.parametrize("width", [320, 375])
def test_a_phone_shows_everything_without_scrolling_sideways(open_page, address, width):
    page = open_page(address, viewport={"width": width, "height": 667}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.get_by_label("Height h").first.bounding_box()
    assert box["height"] >= 44
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    assert int(page.get_by_label("Height h").first.input_value()) > 150


def test_without_scripts_the_first_setting_is_shown_and_nothing_pretends_to_work(open_page, address):
    page = open_page(address, java_script_enabled=False)
    expect(caption(page, "one-bar")).to_have_text("A plain bar of height 100.")
    expect(page.locator("#one-bar svg")).to_be_visible()
    expect(page.get_by_label("Height h").first).to_be_disabled()
    # What cannot be pressed is pale, and the native circle of a radio button stays under its text.
    opacity = "e => [e, e.nextElementSibling].map((one) => getComputedStyle(one).opacity)"
    assert page.get_by_role("radio").first.evaluate(opacity) == ["0", "0.6"]
    assert page.get_by_label("Height h").first.evaluate(opacity) == ["0.6", "1"]
    note = page.locator("#one-bar noscript")  # Playwright's text search leaves noscript out
    assert note.inner_text() == NOT_INTERACTIVE
    assert note.bounding_box()["height"] > 0


def test_the_page_does_not_move_while_a_slider_does(page):
    below = page.get_by_text("Text between.").first
    before = below.bounding_box()
    page.get_by_label("Height h").first.press("End")
    assert below.bounding_box() == before


def test_print_shows_the_setting_but_no_slider(page):
    page.get_by_label("Height h").first.press("ArrowRight")
    page.emulate_media(media="print")
    expect(page.get_by_label("Height h").first).to_be_hidden()
    expect(page.locator("#one-bar output")).to_have_text("101")
    expect(page.locator("#one-bar svg")).to_be_visible()


def test_the_focus_is_visible(page):
    slider_input = page.get_by_label("Height h").first
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Reset").first).to_be_focused()
    page.keyboard.press("Tab")
    expect(slider_input).to_be_focused()
    assert slider_input.evaluate("input => getComputedStyle(input).outlineStyle") == "solid"


def test_the_switch_is_the_environment_variable_that_kernels_inherit(monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    assert EXPLORERS[-1]._repr_mimebundle_()["text/html"] == explorer_html(EXPLORERS[-1])
