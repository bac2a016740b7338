"""A browser without JavaScript: reads a page's text, its forms and its elements."""

import html.parser
from typing import Any


class Form:
    """One form of a page."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.action = attributes.get("action", "")
        self.id = attributes.get("id", "")
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []


class Page(html.parser.HTMLParser):
    """An answer, read as a browser reads it: its text, its forms, its elements."""

    def __init__(self, response: Any, body: str) -> None:
        super().__init__()
        self.status: int = response.status
        self.headers = response.headers
        self.location: str = response.headers.get("Location", "")
        self.body = body
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: Form | None = None
        self._select = ""
        self.feed(body)

    @property
    def text(self) -> str:
        """What a person reads, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def form(self, action: str, button: str | None = None) -> Form:
        """The form that goes to `action`, and that has a button of that value."""
        for form in self.forms:
            if form.action == action and (button is None or any(value == button for _, value in form.buttons)):
                return form
        raise AssertionError(f"no form to {action} with {button}: {[form.action for form in self.forms]}")

    def device(self, room: str, device: str) -> dict[str, str]:
        """The attributes of a device's card."""
        return next(a for tag, a in self.elements if tag == "article" and a.get("id") == f"{room}.{device}")

    def has(self, tag: str, **attributes: str) -> bool:
        """Whether there is such an element."""
        return any(t == tag and attributes.items() <= a.items() for t, a in self.elements)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag == "form":
            self._open = Form(attributes)
            self.forms.append(self._open)
        elif attributes.get("type") == "checkbox" and "checked" not in attributes:
            pass  # it sends nothing
        elif self._open is not None and tag == "input" and "disabled" not in attributes:
            self._open.fields[attributes["name"]] = attributes.get("value", "")
        elif self._open is not None and tag == "select":
            self._select = attributes["name"]
            self._open.fields[self._select] = ""
        elif self._open is not None and tag == "option" and "selected" in attributes:
            self._open.fields[self._select] = attributes["value"]
        elif tag == "button" and "form" in attributes:
            self._sent_by(attributes).buttons.append((attributes["name"], attributes["value"]))
        elif self._open is not None and tag == "button":
            self._open.buttons.append((attributes.get("name", ""), attributes.get("value", "")))

    def _sent_by(self, button: dict[str, str]) -> Form:
        """The form that a button outside of it sends, to where the button says."""
        made = Form({"action": button["formaction"]})
        made.fields = next(form for form in self.forms if form.id == button["form"]).fields
        known = next((form for form in self.forms if form.action == made.action and form.fields is made.fields), made)
        if known is made:
            self.forms.append(made)
        return known

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
