"""What is taken out of a style sheet or a script changes nothing of what it does."""

import re
from pathlib import Path

import pytest
from rcssmin import cssmin
from rjsmin import jsmin

from theme.slim import slim

ROOT = Path(__file__).parents[1]
STYLES = sorted(
    [*ROOT.glob("theme/assets/*.css"), *ROOT.glob("lossprimer/explorer/*.css"), *ROOT.glob("live/assets/*.css")]
)
SCRIPTS = sorted(
    [*ROOT.glob("theme/assets/*.js"), *ROOT.glob("lossprimer/explorer/*.js"), *ROOT.glob("live/assets/*.js")]
)
RULES = """css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return [...sheet.cssRules].map((rule) => rule.cssText);
}"""


def test_comments_and_indentation_go_and_texts_stay(tmp_path):
    (tmp_path / "a.css").write_text('/* why */\n.a :is(b) {\n  content: "/* x */  y";\n}\n', "utf-8")
    (tmp_path / "a.js").write_text('// why\nconst a = `  // x\n  ${1 + 1}`;\n\n  go(a, /"\\/\\/ /);\n', "utf-8")
    (tmp_path / "minisearch.js").write_text("/** a licence */\nx()\n", "utf-8")
    slim(tmp_path)
    assert (tmp_path / "a.css").read_text("utf-8") == '.a :is(b){content:"/* x */  y"}'
    assert (tmp_path / "a.js").read_text("utf-8") == 'const a=`  // x\n  ${1 + 1}`;go(a,/"\\/\\/ /);'
    assert (tmp_path / "minisearch.js").read_text("utf-8") == "/** a licence */\nx()\n"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_slim_script_has_the_same_texts(path):
    """What writes it does not know a template within a template: its text would lose spaces."""
    text = path.read_text("utf-8")
    texts = re.findall("`[^`]*`", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    assert [one for one in texts if one not in jsmin(text)] == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_slim_style_sheet_has_the_same_rules(browser, path):
    page = browser.new_page()
    text = path.read_text("utf-8")
    # The browser writes the values of variables, and what is asked of it, as they stand.
    whole, slimmed = (
        [re.sub(r"\s*([,/:])\s*", r"\1", rule) for rule in page.evaluate(RULES, css)] for css in (text, cssmin(text))
    )
    page.close()
    assert len(whole) > 5
    assert slimmed == whole
