"""Documents, parsed and validated once: a known text costs a dictionary look-up."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    Token,
    parse,
    specified_rules,
    validate,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema import errors
from schema.trusted import TrustedDocumentsInvalid, TrustedText, texts_by_id

MAX_KEPT_CHARACTERS = 100_000


@dataclass(slots=True)
class Document:
    """A document that passed validation.

    Attributes:
        node: its syntax tree.
        operations: by name, "" for one without.
        plans: whatever execution has compiled for this document, by its own keys; dropped with the document.
        is_trusted: whoever runs the server vouches for it.
    """

    node: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    plans: dict[Any, Any] = field(default_factory=dict[Any, Any])
    is_trusted: bool = False


@dataclass(frozen=True, slots=True)
class InvalidDocument:
    """A text that is no document of this schema, and why."""

    errors: list[errors.FormattedError]


class DocumentCache:
    """The newest `size` documents by their text, and trusted ones for good."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        rules: Collection[type[ASTValidationRule]] = (),
        max_tokens: int,
        size: int,
        hide_suggestions: bool,
    ) -> None:
        self._schema = schema
        self._rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
        # Limits are checked before the rules of the specification, whose own cost they bound.
        self._limits = tuple(rules)
        self._max_tokens = max_tokens
        self._size = size
        self._hide_suggestions = hide_suggestions
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._trusted: dict[str, Document] = {}
        self._trusted_texts: dict[str, Document] = {}
        self._only_trusted = False

    def trust(self, documents: Iterable[TrustedText], *, only: bool) -> None:
        """Keep documents by their ids, whatever else is asked for.

        Args:
            documents: that whoever runs the server vouches for.
            only: refuse all others from now on.

        Raises:
            TrustedDocumentsInvalid: one of them is no document of this schema, or asks for too much.
        """
        self._only_trusted = only
        for id_, trusted in texts_by_id(documents).items():
            document = self._trusted_texts.get(trusted.text) or self._make(trusted.text)
            if isinstance(document, InvalidDocument):
                problem = document.errors[0]
                line = "".join(f", line {place['line']}" for place in problem.get("locations", ())[:1])
                message = problem["message"].rstrip(".")
                raise TrustedDocumentsInvalid(f"The trusted document in {trusted.origin}{line} is refused: {message}.")
            document.is_trusted = True
            self._trusted[id_] = self._trusted_texts[trusted.text] = document

    def trusted(self, id_: str) -> Document | InvalidDocument:
        """Return the trusted document of an id."""
        known = self._trusted.get(id_)
        if known is not None:
            return known
        if not self._trusted:
            message = "This server has no trusted documents (graphql.trusted_documents); send the document as 'query'."
            return InvalidDocument([errors.request_error(message, errors.PERSISTED_NOT_SUPPORTED)])
        message = f"There is no trusted document with the id '{id_[:80]}'."
        return InvalidDocument([errors.request_error(message, errors.PERSISTED_NOT_FOUND)])

    def get(self, text: str) -> Document | InvalidDocument:
        """Return the document of a text, from the cache if it is known."""
        known = self._documents.get(text)
        if known is not None:
            self._documents.move_to_end(text)
            return known
        known = self._trusted_texts.get(text)
        if known is not None:
            return known
        if self._only_trusted:
            message = "This server answers trusted documents only (graphql.only_trusted_documents); send 'documentId'."
            return InvalidDocument([errors.request_error(message, errors.NOT_TRUSTED)])
        document = self._make(text)
        # What is wrong or huge is not kept: it would hold memory and drive out documents that are used.
        if isinstance(document, Document) and len(text) <= MAX_KEPT_CHARACTERS:
            self._documents[text] = document
            if len(self._documents) > self._size:
                self._documents.popitem(last=False)
        return document

    def _make(self, text: str) -> Document | InvalidDocument:
        try:
            node = parse(text, max_tokens=self._max_tokens)
            _forget_tokens(node)
            found = self._validate(node)
        except GraphQLError as error:
            return InvalidDocument([errors.of_document(error, errors.PARSE_FAILED)])
        except RecursionError:
            return InvalidDocument([errors.request_error("The document is nested too deeply.", errors.PARSE_FAILED)])
        if found:
            return InvalidDocument([errors.of_document(error, errors.VALIDATION_FAILED) for error in found])
        operations = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
        return Document(node, {each.name.value if each.name else "": each for each in operations})

    def _validate(self, node: DocumentNode) -> list[GraphQLError]:
        for rules in (self._limits, self._rules):
            if not rules:
                continue
            found = validate(self._schema, node, rules, max_errors=20, hide_suggestions=self._hide_suggestions)
            if found:
                return found
        return []


def _forget_tokens(document: DocumentNode) -> None:
    """Let go of the tokens that a syntax tree was made of; its places in the text stay.

    They take half as much again as the tree, and as they hold one another, they would outlive it until the garbage
    collector comes by.
    """
    first = document.loc.start_token if document.loc else None
    token: Token | None = first
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following
    pending: list[Node] = [document]
    while first is not None and pending:
        node = pending.pop()
        if node.loc is not None:
            node.loc.start_token = node.loc.end_token = first
        # Not by the node's __dict__, which would come into being by that and stay.
        for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
            below: Any = getattr(node, key)
            if isinstance(below, Node):
                pending.append(below)
            elif below:
                pending.extend(below)
