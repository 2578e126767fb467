"""Operations as transports run them: a defect becomes a masked response, a subscription a stream that gets closed."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from models.principal import Principal
from schema.engine import Engine, Prepared, Response

NewContext = Callable[[Principal], Any]
"""Makes the context of one operation; called once for each, on websockets too."""


async def run(
    engine: Engine, prepared: Prepared, variables: Mapping[str, Any], new_context: NewContext, principal: Principal
) -> Response:
    """Run a query or mutation."""
    try:
        return await engine.execute(prepared, variables, new_context(principal))
    except Exception as error:  # noqa: BLE001 - the last line of defence: logged and masked
        # The request was right, so this is an answer without data and no refusal.
        return replace(engine.failure(error), is_request_error=False)


async def responses(
    engine: Engine,
    prepared: Prepared | Response,
    variables: Mapping[str, Any],
    new_context: NewContext,
    principal: Principal,
) -> AsyncIterator[Response]:
    """Yield the one response of a query or mutation, or all of a subscription."""
    if isinstance(prepared, Response):
        yield prepared
        return
    if prepared.operation_type != "subscription":
        yield await run(engine, prepared, variables, new_context, principal)
        return
    try:
        opened = await engine.subscribe(prepared, variables, new_context(principal))
    except Exception as error:  # noqa: BLE001 - the last line of defence: logged and masked
        opened = engine.failure(error)
    if isinstance(opened, Response):
        yield opened
        return
    async with aclosing(cast("Any", opened)):
        async for response in opened:
            yield response
