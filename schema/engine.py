"""The engine answers requests: document cache, choice of the operation, execution with a deadline, formatted errors.

Transports (HTTP, websockets, server-sent events) speak to nothing else. Nothing here raises for a bad request: what is
wrong comes back as a `Response`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Hashable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from time import perf_counter
from typing import Any, cast

import graphql
import strawberry
from graphql import (
    ASTValidationRule,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    execution,
)
from strawberry.execution import optimized_is_awaitable

from models.deadlines import Deadline, Overdue
from models.errors import DeadlineExceeded
from models.principal import Principal
from models.statements import Row
from resolvers.context import Scope
from schema import errors
from schema.answers import Answering
from schema.documents import Document, DocumentCache, InvalidDocument
from schema.execution import NOT_PLANNED, Planner
from schema.fields import Source
from schema.response import Response, Responses, one_by_one
from schema.sharing import sharing_key
from schema.streaming import Groups
from schema.trusted import TrustedText

__all__ = ["Engine", "Prepared", "Request", "Response", "Responses"]

# Its generic parameters are unknown to type checkers.
_core = cast("Any", graphql)
_execution = cast("Any", execution)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent, already checked to have these types.

    Attributes:
        document_id: of a trusted document, whose text stands in for `query`.
    """

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may run.

    Attributes:
        operation_type: "query", "mutation" or "subscription".
    """

    document: Document
    operation: OperationDefinitionNode
    operation_type: str


class Engine:
    """Executes operations of one schema.

    Attributes:
        on_response: told of each operation's type ("none" if it was refused before that was known), its response and
            the seconds it took; of a subscription when it opens, without a response if it does.
        groups: of subscribers who share a stream.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        rules: Collection[type[ASTValidationRule]] = (),
        max_tokens: int,
        cache_size: int,
        timeout_seconds: float,
        introspection: bool = True,
        debug: bool = False,
        planner: type[Planner] | None = Planner,
    ) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        self._documents = DocumentCache(
            self._schema, rules=rules, max_tokens=max_tokens, size=cache_size, hide_suggestions=not introspection
        )
        self._timeout_seconds = timeout_seconds
        self._overdue = Overdue(timeout_seconds)
        self._debug = debug
        self._planner = planner(schema, self._schema) if planner else None
        self.on_response: Callable[[str, Response | None, float], None] | None = None
        self.groups = Groups(self.failure)

    def trust(self, documents: Iterable[TrustedText], *, only: bool) -> None:
        """Let clients name documents by their ids; `only` refuses all others.

        Raises:
            TrustedDocumentsInvalid: one of them cannot be used.
        """
        self._documents.trust(documents, only=only)

    def prepare(self, request: Request) -> Prepared | Response:
        """Return the operation that the request names, or the response that says why there is none."""
        prepared = self._prepare(request)
        if self.on_response is not None and isinstance(prepared, Response):
            self.on_response("none", prepared, 0)
        return prepared

    async def execute(self, prepared: Prepared, variables: Mapping[str, Any], context: Any) -> Response:
        """Run a query or mutation within the deadline."""
        began = perf_counter()
        response = await self._execute(prepared, variables, context)
        if self.on_response is not None:
            self.on_response(prepared.operation_type, response, perf_counter() - began)
        return response

    async def subscribe(self, prepared: Prepared, variables: Mapping[str, Any], context: Any) -> Responses | Response:
        """Open a subscription: its responses, which are to be closed, or the one that says why it cannot be opened."""
        began = perf_counter()
        opened = await self._subscribe(prepared, variables, context)
        if self.on_response is not None:
            response = opened if isinstance(opened, Response) else None
            self.on_response(prepared.operation_type, response, perf_counter() - began)
        return opened

    def _prepare(self, request: Request) -> Prepared | Response:
        if request.document_id is None:
            document = self._documents.get(request.query)
        else:
            document = self._documents.trusted(request.document_id)
        if isinstance(document, InvalidDocument):
            return Response(None, document.errors, is_request_error=True)
        operation = _choose(document, request.operation_name)
        if operation is None:
            return _refused(_choice_problem(document, request.operation_name))
        return Prepared(document, operation, operation.operation.value)

    async def _execute(self, prepared: Prepared, variables: Mapping[str, Any], context: Any) -> Response:
        try:
            with Deadline(self._overdue):
                return await self._run(prepared, variables, context)
        except TimeoutError:
            return self._too_late()
        except RecursionError:
            return _refused("The variables are nested too deeply.")

    async def _subscribe(self, prepared: Prepared, variables: Mapping[str, Any], context: Any) -> Responses | Response:
        given = self._given(prepared, variables, context)
        executor = given.pop("executor_class").build(
            self._schema, prepared.document.node, raw_variable_values=given.pop("variable_values"), **given
        )
        if isinstance(executor, list):
            return self._response(ExecutionResult(None, cast("Any", executor)))
        try:
            with Deadline(self._overdue):
                source: Any = _execution.create_source_event_stream(executor)
                source = await source if isawaitable(source) else source
        except TimeoutError:
            return self._too_late()
        if isinstance(source, ExecutionResult):
            return self._response(source)
        if isinstance(source, Source) and self._planner is not None:
            return self._shared(prepared, variables, source)
        results = cast("AsyncIterator[ExecutionResult]", _execution.map_source_to_response_event(executor, source))
        return Responses(lambda _: one_by_one(self._stream(results)))

    def _shared(self, prepared: Prepared, variables: Mapping[str, Any], source: Source) -> Responses:
        services, role = source.scope.services, source.scope.principal.role
        # Whoever shares it has the same rights; nobody's name may be in what all of them get.
        all_of_them = Principal("subscribers", role)

        async def execute(row: Row, scope: Scope) -> ExecutionResult:
            return await self._executed(prepared, variables, scope, row)

        def answering() -> Answering:
            return Answering(
                services.store.log,
                lambda: Scope(services, all_of_them),
                source.stream.project,
                self._planner.event(prepared.document, prepared.operation, variables) if self._planner else None,
                execute,
                self._response,
            )

        key: Hashable = (id(services), role, sharing_key(prepared.document, prepared.operation, variables))
        return self.groups.join(key, source.stream.start, answering)

    async def _stream(self, results: AsyncIterator[ExecutionResult]) -> AsyncGenerator[Response]:
        async with aclosing(cast("Any", results)):
            try:
                async for result in results:
                    yield self._response(result)
            except Exception as error:  # noqa: BLE001 - whatever ends a stream is told to its client, masked
                yield self.failure(error)

    async def _run(self, prepared: Prepared, variables: Mapping[str, Any], context: Any) -> Response:
        if self._planner is not None:
            run = self._planner.answer if prepared.operation_type == "query" else self._planner.perform
            data = await run(prepared.document, prepared.operation, variables, context)
            if data is not NOT_PLANNED:
                return Response(data)
        return self._response(await self._executed(prepared, variables, context))

    async def _executed(
        self, prepared: Prepared, variables: Mapping[str, Any], context: Any, root: Any = None
    ) -> ExecutionResult:
        result = _core.execute(
            self._schema,
            prepared.document.node,
            root,
            is_awaitable=optimized_is_awaitable,
            **self._given(prepared, variables, context),
        )
        return await result if isawaitable(result) else result

    def _given(self, prepared: Prepared, variables: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return {
            "context_value": context,
            "variable_values": dict(variables),
            "operation_name": prepared.operation.name.value if prepared.operation.name else None,
            "executor_class": cast("Any", self._strawberry).execution_context_class,
        }

    def _response(self, result: ExecutionResult) -> Response:
        if not result.errors:
            return Response(result.data)
        if result.data is None and all(error.path is None for error in result.errors):
            return Response(None, [errors.of_variables(error) for error in result.errors], is_request_error=True)
        return Response(result.data, [errors.of_execution(error, reveal=self._debug) for error in result.errors])

    def failure(self, error: Exception) -> Response:
        """Return what a client is told of an exception that left no answer; what was unexpected is masked."""
        wrapped = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
        return Response(None, [errors.of_execution(wrapped, reveal=self._debug)], is_request_error=True)

    def _too_late(self) -> Response:
        error = DeadlineExceeded(
            f"The operation took longer than {self._timeout_seconds:g} s; ask for less (fewer rows, a shorter range)."
        )
        return Response(None, [{"message": error.message, "extensions": errors.of_domain(error)}])


def _choose(document: Document, name: str | None) -> OperationDefinitionNode | None:
    if name:
        return document.operations.get(name)
    return next(iter(document.operations.values())) if len(document.operations) == 1 else None


def _choice_problem(document: Document, name: str | None) -> str:
    known = ", ".join(name for name in document.operations if name) or "none"
    if name:
        return f"The document has no operation named '{name}'; it has: {known}."
    if not document.operations:
        return "The document has no operation, only fragments."
    return f"The document has several operations; 'operationName' must be one of: {known}."


def _refused(message: str) -> Response:
    return Response(None, [errors.request_error(message)], is_request_error=True)
