"""Tokens to a tree, by precedence alone: what a name means is not asked here.

From loose to tight: or, and, not, comparisons (chains too), + -, * /, unary minus, **.
"""

from __future__ import annotations

from typing import NamedTuple

from adaface_ref.spec.language.tokens import ClaimError, Source, Token, tokens

DEEPEST = 50
"""How deep operators, calls and parentheses may be nested, all together."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

_BINDING = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(COMPARISONS, 4),
    **dict.fromkeys("+-", 5),
    **dict.fromkeys("*/", 6),
    "**": 8,
}
_NOT, SUM, _MINUS = 3, 5, 7


class Node(NamedTuple):
    """One node, of any kind.

    Args:
        word: number, name, call, keyword, neg, not, or an operator.
        token: the number, the name, or the operator.
        parts: what it is applied to.
        height: levels of nodes, its own included.
    """

    word: str
    token: Token
    parts: tuple[Node, ...] = ()
    height: int = 1


class Reader:
    """Reads a source from left to right.

    Args:
        source: what is read.

    Raises:
        ClaimError: as `tokens` does.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._tokens = tokens(source)
        self._place = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self._tokens[self._place]

    def take(self) -> Token:
        """Steps over the next token; the end stays where it is."""
        token = self.token
        self._place += token.kind != "end"
        return token

    def skip(self, text: str) -> Token:
        """Steps over a token that must be `text`."""
        if self.token.text != text:
            raise self.unexpected(f"'{text}'" if text else "")
        return self.take()

    def error(self, message: str, token: Token) -> ClaimError:
        """The error whose caret stands before a token."""
        return self.source.error(message, token.start)

    def unexpected(self, wanted: str = "") -> ClaimError:
        """What to say of the next token where it cannot stand."""
        token = self.token
        if token.text == "=":
            return self.error("'=' compares nothing, write ==", token)
        if token.text == ")" and not wanted:
            return self.error("')' closes nothing", token)
        if token.kind in ("number", "name") or token.text == "(":
            return self.error(f"an operator is missing before {token.shown}", token)
        wanted = wanted or "an operator"
        return self.error(f"{wanted} is expected, not {token.shown}", token)

    def whole(self) -> Node:
        """All of the source as one tree."""
        node = self.expression()
        if self.token.kind != "end":
            raise self.unexpected()
        return node

    def expression(self, least: int = 0) -> Node:
        """A tree whose operators bind at least as tightly as `least`."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._too_deep(self.token)
        left = self._prefix()
        while _BINDING.get(self.token.text, -1) >= least:
            left = self._infix(left)
        self._depth -= 1
        return left

    def _too_deep(self, token: Token) -> ClaimError:
        return self.error(f"nested more than {DEEPEST} deep", token)

    def _node(self, word: str, token: Token, *parts: Node) -> Node:
        height = 1 + max((part.height for part in parts), default=0)
        if height > DEEPEST:
            raise self._too_deep(token)
        return Node(word, token, parts, height)

    def _prefix(self) -> Node:
        token = self.take()
        if token.text == "(":
            inside = self.expression()
            self.skip(")")
            return inside
        if token.text == "-":
            return self._node("neg", token, self.expression(_MINUS))
        if token.text == "not":
            return self._node("not", token, self.expression(_NOT))
        if token.kind == "number":
            return self._node("number", token)
        if token.kind == "name" and token.text not in _BINDING:
            return self._call(token) if self.token.text == "(" else Node("name", token)
        raise self.error(f"an expression is expected, not {token.shown}", token)

    def _call(self, name: Token) -> Node:
        self.skip("(")
        arguments = [self._argument()]
        while self.token.text == ",":
            self.take()
            arguments.append(self._argument())
        self.skip(")")
        return self._node("call", name, *arguments)

    def _argument(self) -> Node:
        name = self.token
        if name.kind == "name" and self._tokens[self._place + 1].text == "=":
            self.take()
            self.take()
            return self._node("keyword", name, self.expression())
        return self.expression()

    def _infix(self, left: Node) -> Node:
        word = self.token.text
        if word in COMPARISONS:
            return self._chain(left)
        if word in ("and", "or"):
            return self._joined(left)
        token = self.take()
        tighter = 0 if word == "**" else 1
        right = self.expression(_BINDING[word] + tighter)
        return self._node(word, token, left, right)

    def _chain(self, left: Node) -> Node:
        """`a < b <= c` is `a < b and b <= c`."""
        first, links = self.token, []
        while self.token.text in COMPARISONS:
            token = self.take()
            right = self.expression(_BINDING[token.text] + 1)
            links.append(self._node(token.text, token, left, right))
            left = right
        return links[0] if len(links) == 1 else self._node("and", first, *links)

    def _joined(self, left: Node) -> Node:
        first, parts = self.token, [left]
        while self.token.text == first.text:
            self.take()
            parts.append(self.expression(_BINDING[first.text] + 1))
        return self._node(first.text, first, *parts)
