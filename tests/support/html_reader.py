"""A reader of HTML pages: what a page shows, and what it would load."""

import html.parser


class Reader(html.parser.HTMLParser):
    """Collects what a page shows and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.loads, self.tags = "", [], []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        urls = [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        self.loads += [url for url in urls if not url.startswith("#")]  # a part of the page itself

    def handle_data(self, data: str) -> None:
        self.text += data

    def is_self_contained(self) -> bool:
        """Return whether the page embeds all its pictures and runs nothing."""
        embedded = all(url.startswith("data:image/") for url in self.loads)
        return embedded and not {"script", "link", "iframe", "object"} & set(self.tags)
