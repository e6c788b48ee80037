"""Reads pages of HTML as a browser would, far enough to see what is wrong with them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "link", "img", "hr"}
"""Elements that have no end."""

ALONE = {"line", "rect", "circle", "polygon", "polyline"}
"""Elements of drawings that end where they begin."""


@dataclass
class Element:
    """An element, with the text in it and in all that it holds; ``inside`` is the classes of what holds it."""

    tag: str
    attributes: dict[str, str]
    path: tuple[str, ...]
    inside: frozenset[str] = frozenset()
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page.

    Attributes:
        elements: In order of appearance.
        problems: What is not well-formed.
    """

    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, text: str) -> "Page":
        page = cls()
        page.feed(text)
        page.close()
        page.problems += [f"<{element.tag}> has no end" for element in page._open]
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.problems.append(f"<{tag}> has an attribute twice")
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(one.tag for one in self._open))
        element.inside = frozenset(name for one in self._open for name in one.attributes.get("class", "").split())
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID | ALONE:
            self.problems.append(f"<{tag}/> ends where it begins")
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.problems.append(f"</{tag}> ends {self._open[-1].tag if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of a tag that have these attributes; ``class_`` is one of the classes."""
        class_ = attributes.pop("class_", None)
        return [
            one
            for one in self.elements
            if one.tag == tag
            and all(one.attributes.get(name) == value for name, value in attributes.items())
            and (class_ is None or class_ in one.attributes.get("class", "").split())
        ]
