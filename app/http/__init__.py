"""GraphQL over the wire: HTTP, websockets (graphql-transport-ws), server-sent events, and the page for browsers."""

from app.http.graphql import GraphQLEndpoint, GraphQLPath
from app.http.negotiation import MediaKind

__all__ = ["GraphQLEndpoint", "GraphQLPath", "MediaKind"]
