"""Addresses that the site has given out still lead to what they led to."""

import re

import pytest
from docutils.core import publish_parts
from myst_parser.parsers.docutils_ import Parser

from conftest import SITE
from tools.addresses import RECORD, on_site


def recorded():
    return RECORD.read_text("utf-8").split()


def test_sections_rows_terms_and_explorers_are_recorded_and_functions_are_not(tmp_path):
    page = tmp_path / "book" / "a.html"
    page.parent.mkdir()
    page.write_text(
        '<section data-task="x" id="s"><p id="p"><figure class="explorer" id="f"><tr class="odd" id="r"><dt id="t">'
        '<dt class="sig sig-object py" id="lossprimer.softmax">'
    )
    assert on_site(tmp_path) == {f"book/a.html#{name}" for name in "sfrt"}
    assert on_site(tmp_path, every=True) == on_site(tmp_path) | {"book/a.html#p", "book/a.html#lossprimer.softmax"}


def test_the_line_that_the_test_asks_for_keeps_an_old_address():
    text = "# Page\n\nText.\n\n(what-was-it-called)=\n## What is it called?\n\nText.\n"
    page = publish_parts(text, parser=Parser(), writer_name="html5")["html_body"]
    section = re.search(r'id="what-is-it-called".*?<h', page, re.DOTALL)[0]
    assert 'id="what-was-it-called"' in section


def test_the_record_is_in_order_and_has_each_address_once():
    assert recorded() == sorted(set(recorded()))


@pytest.mark.site
def test_addresses_that_were_given_out_still_lead_somewhere():
    gone = sorted(set(recorded()) - on_site(SITE, every=True))
    assert gone == [], (
        "Put <a id='old-address'></a> below the heading that has taken its place, or (old-address)= above."
    )


@pytest.mark.site
def test_every_address_is_recorded():
    new = sorted(on_site(SITE) - set(recorded()))
    assert new == [], "python -m tools.addresses records them."
