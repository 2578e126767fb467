"""Operations as transports run them: a defect becomes a masked response, a subscription is opened."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from models.principal import Principal
from schema.engine import Engine, Prepared, Response, Responses

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


async def opened(
    engine: Engine,
    prepared: Prepared | Response,
    variables: Mapping[str, Any],
    new_context: NewContext,
    principal: Principal,
) -> Responses | Response:
    """Run a query or mutation, or open a subscription; its responses are to be closed."""
    if isinstance(prepared, Response):
        return prepared
    if prepared.operation_type != "subscription":
        return await run(engine, prepared, variables, new_context, principal)
    try:
        return await engine.subscribe(prepared, variables, new_context(principal))
    except Exception as error:  # noqa: BLE001 - the last line of defence: logged and masked
        return engine.failure(error)
