"""Pages show what is in backticks as code, and any text as text."""

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from realart.evaluation.pages import _code


@given(st.text("ab<&` "))
def test_all_but_pairs_of_backticks_is_shown_as_it_is(text: str) -> None:
    html = str(_code(text))
    assert html.replace("<code>", "`").replace("</code>", "`") == escape(text)
    assert html.count("<code>") == html.count("</code>")


def test_code_is_shown_as_such() -> None:
    assert _code("`a < b` is") == "<code>a &lt; b</code> is"
